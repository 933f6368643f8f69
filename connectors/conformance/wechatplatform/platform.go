// Package wechatplatform is WeChat's side of the wire for tests of connectors: the simulator hack/wechatsim, and accounts of it
// with the Channels that they fit to. Only tests import it.
package wechatplatform

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/conformance"
	"github.com/yingda-dev/yingda/hack/wechatsim"
)

// Two EncodingAESKeys as the console makes them.
const (
	KeyOne = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	KeyTwo = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

	retryDelay = 200 * time.Millisecond
)

// Platform is a running simulator.
type Platform struct {
	Sim *wechatsim.Server
	// URL is its address.
	URL string

	t    testing.TB
	kind wechatsim.Kind
}

var _ conformance.Platform = (*Platform)(nil)

// MiniProgram is New for a conformance.Subject whose accounts are mini-programs.
func MiniProgram(t testing.TB) conformance.Platform {
	t.Helper()
	return New(t, wechatsim.KindMiniProgram)
}

// OfficialAccount is New for a conformance.Subject whose accounts are official accounts.
func OfficialAccount(t testing.TB) conformance.Platform {
	t.Helper()
	return New(t, wechatsim.KindOfficialAccount)
}

// New starts a simulator for accounts of one kind, which ends with the test.
func New(t testing.TB, kind wechatsim.Kind) *Platform {
	t.Helper()
	sim := wechatsim.New(wechatsim.Options{RetryDelay: retryDelay})
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return &Platform{Sim: sim, URL: server.URL, t: t, kind: kind}
}

// APIBaseURL is the simulator's address.
func (p *Platform) APIBaseURL() string { return p.URL }

// Customer is an openid.
func (p *Platform) Customer(n int) string { return fmt.Sprintf("o-customer-%d", n) }

// Open opens an account in secure mode.
func (p *Platform) Open(channel string) conformance.Account { return p.Account(channel) }

// Account opens an account in secure mode, or as it is modified.
func (p *Platform) Account(channel string, modify ...func(*wechatsim.App)) *Account {
	p.t.Helper()
	a := &Account{p: p, name: channel, App: wechatsim.App{
		AppID: "wx" + strings.ReplaceAll(uuid.NewString(), "-", "")[:16], AppSecret: "secret-of-" + channel, Token: "tokenOf" + channel,
		EncodingAESKey: KeyOne, OriginalID: "gh_" + channel, Kind: p.kind, Mode: wechatsim.ModeSecure, Format: formats()[p.kind],
	}}
	if p.kind == wechatsim.KindOfficialAccount {
		a.App.Templates = map[string]string{noticeTemplate().TemplateID: template}
	}
	for _, f := range modify {
		f(&a.App)
	}
	a.Put()
	return a
}

// formats are how the kinds of accounts push.
func formats() map[wechatsim.Kind]wechatsim.Format {
	return map[wechatsim.Kind]wechatsim.Format{
		wechatsim.KindMiniProgram: wechatsim.FormatJSON, wechatsim.KindOfficialAccount: wechatsim.FormatXML,
	}
}

// modes are the Channel's names of the platform's modes.
func modes() map[wechatsim.Mode]v1alpha1.MessageMode {
	return map[wechatsim.Mode]v1alpha1.MessageMode{
		wechatsim.ModePlaintext: v1alpha1.MessageModePlaintext, wechatsim.ModeCompatible: v1alpha1.MessageModeCompatible,
		wechatsim.ModeSecure: v1alpha1.MessageModeSecure,
	}
}
