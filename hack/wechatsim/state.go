package wechatsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// snapshot is what survives a restart: the console's settings, the menus, who the customers are, and who may still be
// answered. Tokens do not, the product has to notice; chats do not either.
type snapshot struct {
	Apps []appSnapshot `json:"apps"`
}

type appSnapshot struct {
	App      App                `json:"app"`
	Ledgers  map[string]ledger  `json:"ledgers,omitempty"`
	Profiles map[string]Profile `json:"profiles,omitempty"`
	Menus    Menus              `json:"menus,omitzero"`
}

// LoadState reads the state file; a missing one is an empty one. Apps that exist already are replaced.
func (s *Server) LoadState() error {
	if s.opts.StateFile == "" {
		return nil
	}
	data, err := os.ReadFile(s.opts.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading state: %w", err)
	}
	var stored snapshot
	if err := json.Unmarshal(data, &stored); err != nil {
		return fmt.Errorf("parsing state: %w", err)
	}
	for _, one := range stored.Apps {
		if err := s.restore(one); err != nil {
			return fmt.Errorf("restoring an app: %w", err)
		}
	}
	return s.saveState()
}

func (s *Server) restore(one appSnapshot) error {
	one.App.setDefaults()
	if err := one.App.validate(); err != nil {
		return err
	}
	acc := newAccount(one.App, s.opts)
	for openID, l := range one.Ledgers {
		c, err := acc.customerLocked(openID)
		if err != nil {
			return err
		}
		if l != nil {
			c.ledger = l
		}
	}
	for openID, p := range one.Profiles {
		c, err := acc.customerLocked(openID)
		if err != nil {
			return err
		}
		c.profile = p
	}
	acc.menus = one.Menus
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[one.App.AppID] = acc
	return nil
}

// saveState replaces the state file; it holds secrets of the sandbox, so it is for the owner only.
func (s *Server) saveState() error {
	if s.opts.StateFile == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	var stored snapshot
	for _, acc := range s.sortedAccounts() {
		stored.Apps = append(stored.Apps, acc.snapshot())
	}
	data, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding state: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(s.opts.StateFile), ".wechatsim-*")
	if err != nil {
		return fmt.Errorf("writing state: %w", err)
	}
	_, err = temporary.Write(data)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), s.opts.StateFile)
	}
	if err != nil {
		return fmt.Errorf("writing state: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

func (a *account) snapshot() appSnapshot {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := appSnapshot{App: a.app, Ledgers: map[string]ledger{}, Profiles: map[string]Profile{}, Menus: a.menus}
	for openID, c := range a.customers {
		one.Ledgers[openID] = maps.Clone(c.ledger)
		if c.profile != (Profile{}) {
			one.Profiles[openID] = c.profile
		}
	}
	return one
}
