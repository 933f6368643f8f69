package host

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	menuInterval = 2 * time.Second
	menuTimeout  = 20 * time.Second
	// menuLease keeps other replicas away while one looks after a menu.
	menuLease = time.Minute
	// menuCheck is how often a menu is looked at that nothing has happened to: who has changed it by hand finds it as declared
	// again. It costs 144 of an account's 10,000 calls a day.
	menuCheck = 10 * time.Minute
)

// menus keeps the menus of the pool's Channels as they are declared. All replicas know from Postgres what there is; whichever
// comes first when it is time, or when a generation came, looks after it.
//
//	Channel ──new generation, or 10 minutes──> claim (one replica) ──> KeepMenu ──> row ──> /configz of all replicas
type menus struct {
	table  *table
	store  *store.Store
	clock  func() time.Time
	logger *slog.Logger
	log    *steadyLog
}

func newMenus(t *table, s *store.Store, clock func() time.Time, logger *slog.Logger) *menus {
	return &menus{table: t, store: s, clock: clock, logger: logger, log: newSteadyLog(logger, "look after menus")}
}

func (m *menus) run(ctx context.Context) {
	ticker := time.NewTicker(menuInterval)
	defer ticker.Stop()
	for {
		err := m.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		m.log.note(err)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// menuCard is a Channel with a platform that shows a menu.
type menuCard struct {
	channel   *v1alpha1.Channel
	connector connectors.Connector
	keeper    connectors.MenuKeeper
}

func (c menuCard) owner() store.MenuOwner {
	return store.MenuOwner{Channel: c.channel.Name, UID: string(c.channel.UID), Generation: c.channel.Generation}
}

// declares says whether there is something to be published.
func (c menuCard) declares() bool {
	spec := c.channel.Spec.OfficialAccount
	return spec != nil && spec.Menu != nil && c.channel.DeletionTimestamp == nil
}

// due says whether the menu is to be looked at, by what is known of it.
func (c menuCard) due(known db.Menu, now time.Time) bool {
	owner := c.owner()
	switch {
	case known.Uid != owner.UID:
		return c.declares()
	case !c.declares() && known.Published == "" && known.Generation == owner.Generation:
		return false
	default:
		return known.Generation < owner.Generation || known.Generation == owner.Generation && !now.Before(known.CheckAfter)
	}
}

func (m *menus) pass(ctx context.Context) error {
	cards := m.table.menuCards()
	if len(cards) == 0 {
		return nil
	}
	known, err := m.read(ctx, cards)
	if err != nil {
		return err
	}
	var failed []error
	looked := false
	for _, card := range cards {
		if !card.due(known[card.channel.Name], m.clock()) {
			continue
		}
		did, err := m.look(ctx, card)
		looked, failed = looked || did, append(failed, err)
	}
	if looked {
		_, err := m.read(ctx, cards)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// read learns what any replica knows of the menus.
func (m *menus) read(ctx context.Context, cards []menuCard) (map[string]db.Menu, error) {
	names := make([]string, len(cards))
	for i, card := range cards {
		names[i] = card.channel.Name
	}
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	known, err := m.store.Menus(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, card := range cards {
		if row, ok := known[card.channel.Name]; ok && row.Uid == string(card.channel.UID) {
			m.table.setMenu(card, row)
		}
	}
	return known, nil
}

// look looks after one menu, unless another replica does.
func (m *menus) look(ctx context.Context, card menuCard) (did bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, menuTimeout)
	defer cancel()
	now := m.clock()
	ours, claimed, err := m.store.ClaimMenu(ctx, card.owner(), now, now.Add(menuLease))
	if err != nil || !claimed {
		return false, err
	}
	menu, err := card.keeper.KeepMenu(ctx, card.channel, ours)
	if err != nil {
		failure := connectors.AsCallError(err)
		m.table.complained(card.channel.Name, card.connector, callMenu, failure)
		m.logger.WarnContext(ctx, "Cannot keep a Channel's menu", "Channel", card.channel.Name, "reason", failure.Reason, "code", failure.Code)
		return true, m.store.KeepMenu(ctx, card.owner(), store.KeptMenu{State: failure.Reason, Code: failure.Code, CheckAfter: m.clock().Add(retryMenu(failure))})
	}
	m.table.worked(card.channel.Name, card.connector, callMenu)
	kept := store.KeptMenu{Published: &menu.Published, State: configz.MenuAbsent, Others: menu.Others, CheckAfter: m.clock().Add(menuCheck)}
	if menu.Published != "" {
		kept.State = configz.MenuPublished
	}
	return true, m.store.KeepMenu(ctx, card.owner(), kept)
}

// retryMenu is when to look again after a failure: what may pass is tried sooner than what somebody has to mend.
func retryMenu(failure *connectors.CallError) time.Duration {
	if failure.Class == connectors.ClassRetryLater || failure.Class == connectors.ClassUnknown {
		return max(failure.RetryAfter, menuLease)
	}
	return menuCheck
}

// menuCards are the Channels in force whose platforms show menus.
func (t *table) menuCards() []menuCard {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var cards []menuCard
	for _, e := range t.entries {
		keeper, ok := e.connector.(connectors.MenuKeeper)
		// What could not be loaded is not in force.
		if ok && e.problem == "" && !e.gate.rejected() {
			cards = append(cards, menuCard{e.channel, e.connector, keeper})
		}
	}
	return cards
}

func (t *table) setMenu(card menuCard, row db.Menu) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[card.channel.Name]; ok && e.channel.UID == card.channel.UID && row.State != "" {
		e.menu = &configz.Menu{Generation: row.Generation, State: row.State, Code: int(row.Code), Others: int(row.Others), Ours: row.Published != ""}
	}
}
