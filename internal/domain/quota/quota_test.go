package quota

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// seen is what the ledger says at a moment.
type seen struct {
	Verdict   Verdict
	Remaining int32
	Until     time.Duration // since noon
}

func TestLedger(t *testing.T) {
	t.Parallel()
	type step = func(State) State
	contact := func(kind Contact, after time.Duration) step {
		return func(s State) State { return Grant(s, Rules{}, kind, noon().Add(after)) }
	}
	unfollow := func(after time.Duration) step {
		return func(s State) State { return Unfollow(s, noon().Add(after)) }
	}
	older := func(kind Contact, after time.Duration) step {
		return func(s State) State { return Grant(s, Rules{UserMessages: 20}, kind, noon().Add(after)) }
	}
	spend := func(n int) step {
		return func(s State) State {
			for range n {
				s = Spend(s)
			}
			return s
		}
	}
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		steps []step
		at    time.Duration
		want  seen
	}{
		"without contact nothing may be sent":                        {want: seen{Verdict: WindowClosed}},
		"a user message grants five for 48 hours":                    {steps: []step{contact(UserMessage, 0)}, want: seen{Remaining: 5, Until: 48 * time.Hour}},
		"entering grants two for a minute":                           {steps: []step{contact(EnterSession, 0)}, want: seen{Remaining: 2, Until: time.Minute}},
		"a window is open until just before its end":                 {steps: []step{contact(UserMessage, 0)}, at: 2*day - 1, want: seen{Remaining: 5, Until: 2 * day}},
		"a window is closed at its end":                              {steps: []step{contact(UserMessage, 0)}, at: 2 * day, want: seen{Verdict: WindowClosed}},
		"the fifth message spends the quota":                         {steps: []step{contact(UserMessage, 0), spend(5)}, want: seen{Verdict: QuotaSpent, Until: 2 * day}},
		"a new user message refreshes and does not add up":           {steps: []step{contact(UserMessage, 0), spend(3), contact(UserMessage, day)}, at: day, want: seen{Remaining: 5, Until: 3 * day}},
		"entering after a user message keeps the longer grant":       {steps: []step{contact(UserMessage, 0), contact(EnterSession, 5*time.Second)}, at: 5 * time.Second, want: seen{Remaining: 5, Until: 2 * day}},
		"entering with one left gives two for the minute":            {steps: []step{contact(UserMessage, 0), spend(4), contact(EnterSession, day)}, at: day, want: seen{Remaining: 2, Until: 2 * day}},
		"and one again when the minute is over":                      {steps: []step{contact(UserMessage, 0), spend(4), contact(EnterSession, day)}, at: day + time.Minute, want: seen{Remaining: 1, Until: 2 * day}},
		"entering with none left opens a minute":                     {steps: []step{contact(UserMessage, 0), spend(5), contact(EnterSession, day), spend(1)}, at: day, want: seen{Remaining: 1, Until: 2 * day}},
		"what was sent in that minute stays spent":                   {steps: []step{contact(UserMessage, 0), spend(4), contact(EnterSession, day), spend(2)}, at: day + time.Minute, want: seen{Verdict: QuotaSpent, Until: 2 * day}},
		"entering at the end outlasts the user's window":             {steps: []step{contact(UserMessage, 0), contact(EnterSession, 2*day-30*time.Second)}, at: 2 * day, want: seen{Remaining: 2, Until: 2*day + 30*time.Second}},
		"an older user message that comes late is ignored":           {steps: []step{contact(UserMessage, time.Hour), spend(2), contact(UserMessage, 0)}, at: time.Hour, want: seen{Remaining: 3, Until: 49 * time.Hour}},
		"a second user message of the same second grants anew":       {steps: []step{contact(UserMessage, 0), spend(5), contact(UserMessage, 0)}, want: seen{Remaining: 5, Until: 2 * day}},
		"an older entry that comes late is ignored":                  {steps: []step{contact(EnterSession, time.Second), spend(1), contact(EnterSession, 0)}, at: time.Second, want: seen{Remaining: 1, Until: time.Second + time.Minute}},
		"a user message which comes before the earlier entry":        {steps: []step{contact(UserMessage, 10*time.Second), spend(1), contact(EnterSession, 0)}, at: 10 * time.Second, want: seen{Remaining: 4, Until: 2*day + 10*time.Second}},
		"a refund gives the message back":                            {steps: []step{contact(UserMessage, 0), spend(1), Refund}, want: seen{Remaining: 5, Until: 2 * day}},
		"a refund never exceeds the maximum":                         {steps: []step{contact(UserMessage, 0), spend(1), contact(UserMessage, time.Second), Refund}, at: time.Second, want: seen{Remaining: 5, Until: 2*day + time.Second}},
		"a refund of a message on the entry's grant alone":           {steps: []step{contact(UserMessage, 0), spend(5), contact(EnterSession, day), spend(1), Refund}, at: day + time.Minute, want: seen{Verdict: QuotaSpent, Until: 2 * day}},
		"a tap on the menu grants three for a minute":                {steps: []step{contact(MenuTap, 0)}, want: seen{Remaining: 3, Until: time.Minute}},
		"following grants three for a minute":                        {steps: []step{contact(Follow, 0)}, want: seen{Remaining: 3, Until: time.Minute}},
		"scanning grants three for a minute":                         {steps: []step{contact(Scan, 0)}, want: seen{Remaining: 3, Until: time.Minute}},
		"a tap after following refreshes and does not add up":        {steps: []step{contact(Follow, 0), spend(2), contact(MenuTap, 10*time.Second)}, at: 10 * time.Second, want: seen{Remaining: 3, Until: 70 * time.Second}},
		"a tap does not open the window of 48 hours":                 {steps: []step{contact(MenuTap, 0)}, at: time.Minute, want: seen{Verdict: WindowClosed}},
		"a tap keeps what is left of the customer's message":         {steps: []step{contact(UserMessage, 0), spend(1), contact(MenuTap, time.Hour), spend(1)}, at: 2 * time.Hour, want: seen{Remaining: 3, Until: 2 * day}},
		"following that comes late after a tap is ignored":           {steps: []step{contact(MenuTap, 5*time.Second), spend(2), contact(Follow, 0)}, at: 5 * time.Second, want: seen{Remaining: 1, Until: 65 * time.Second}},
		"an older account's user message grants twenty":              {steps: []step{older(UserMessage, 0), spend(5)}, want: seen{Remaining: 15, Until: 2 * day}},
		"a refund on an older account goes back to what was granted": {steps: []step{older(UserMessage, 0), spend(5), Refund}, want: seen{Remaining: 16, Until: 2 * day}},
		"a message too many leaves nothing, and not less":            {steps: []step{contact(UserMessage, 0), spend(7)}, want: seen{Verdict: QuotaSpent, Until: 2 * day}},
		"who stops following cannot be written to":                   {steps: []step{contact(UserMessage, 0), unfollow(time.Minute)}, at: time.Minute, want: seen{Verdict: WindowClosed}},
		"who follows again can, for a minute":                        {steps: []step{contact(UserMessage, 0), unfollow(time.Minute), contact(Follow, time.Hour)}, at: time.Hour, want: seen{Remaining: 3, Until: time.Hour + time.Minute}},
		"news of having stopped that come late change nothing":       {steps: []step{contact(UserMessage, time.Hour), unfollow(0)}, at: time.Hour, want: seen{Remaining: 5, Until: 49 * time.Hour}},
		"a contact that nobody knows grants nothing":                 {steps: []step{contact(Contact(99), 0)}, want: seen{Verdict: WindowClosed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s State
			for _, step := range tc.steps {
				s = step(s)
			}
			now := noon().Add(tc.at)
			remaining, until := Left(s, now)
			got := seen{Verdict: Check(s, now), Remaining: remaining}
			if !until.IsZero() {
				got.Until = until.Sub(noon())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ledger (-want +got):\n%s", diff)
			}
		})
	}
}

// TestContactsNeverShrink plays random contacts in random order, late ones and repeated ones included: none may lower what
// is left or shorten a window at any later moment, and their order may not matter.
func TestContactsNeverShrink(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	ofMiniProgram, ofOfficialAccount := []Contact{UserMessage, EnterSession}, []Contact{UserMessage, MenuTap, Follow, Scan}
	for i := range 2000 {
		var s State
		rules, kinds := Rules{}, ofMiniProgram
		if i%2 == 1 {
			rules, kinds = Rules{UserMessages: 20}, ofOfficialAccount
		}
		contacts := make([]struct {
			kind Contact
			at   time.Time
		}, 6)
		for i := range contacts {
			contacts[i].kind, contacts[i].at = kinds[rng.IntN(len(kinds))], noon().Add(time.Duration(rng.IntN(300))*time.Second)
			now := noon().Add(time.Duration(rng.IntN(200_000)) * time.Second)
			beforeLeft, beforeUntil := Left(s, now)
			s = Grant(s, rules, contacts[i].kind, contacts[i].at)
			afterLeft, afterUntil := Left(s, now)
			if afterLeft < beforeLeft || afterUntil.Before(beforeUntil) {
				t.Fatalf("%v took away: %d until %v, then %d until %v", contacts[i], beforeLeft, beforeUntil, afterLeft, afterUntil)
			}
		}
		rng.Shuffle(len(contacts), func(i, j int) { contacts[i], contacts[j] = contacts[j], contacts[i] })
		var other State
		for _, c := range contacts {
			other = Grant(other, rules, c.kind, c.at)
		}
		if diff := cmp.Diff(s, other); diff != "" {
			t.Fatalf("another order of the same contacts (-first +second):\n%s", diff)
		}
	}
}

// TestRefundUndoesSpend holds that a send which failed leaves no trace, whatever the grants were.
func TestRefundUndoesSpend(t *testing.T) {
	t.Parallel()
	const granted, sessionGranted = 5, 3
	for user := int32(-2); user <= granted; user++ {
		for session := int32(-2); session <= sessionGranted; session++ {
			s := State{
				WindowEnds: noon(), Remaining: user, Granted: granted, SessionEnds: noon(), SessionRemaining: session, SessionGranted: sessionGranted,
			}
			if diff := cmp.Diff(s, Refund(Spend(s))); diff != "" {
				t.Errorf("refund of a spend (-want +got):\n%s", diff)
			}
		}
	}
}

func TestSpareOfTextsAboutCases(t *testing.T) {
	t.Parallel()
	grant := func(kind Contact, rules Rules, after time.Duration, spent int32) func(State) State {
		return func(s State) State { return SpendMany(Grant(s, rules, kind, noon().Add(after)), spent) }
	}
	for name, tc := range map[string]struct {
		steps []func(State) State
		at    time.Duration
		want  int32
	}{
		"of five messages people keep two":                      {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 0)}, want: 3},
		"of twenty they keep eight":                             {steps: []func(State) State{grant(UserMessage, Rules{UserMessages: 20}, 0, 0)}, want: 12},
		"of the two of entering they keep one":                  {steps: []func(State) State{grant(EnterSession, Rules{}, 0, 0)}, want: 1},
		"of the three of a tap they keep one":                   {steps: []func(State) State{grant(MenuTap, Rules{}, 0, 0)}, want: 2},
		"what people have left of it is not spared":             {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 4)}, want: 0},
		"without a contact there is nothing":                    {want: 0},
		"nor when the window is closed":                         {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 0)}, at: 48 * time.Hour, want: 0},
		"a tap lends nothing of what is kept for two days":      {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 3), grant(MenuTap, Rules{}, time.Hour, 0)}, at: time.Hour, want: 0},
		"where the two days' are spent the tap's are there":     {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 5), grant(MenuTap, Rules{}, time.Hour, 0)}, at: time.Hour, want: 2},
		"a tap takes nothing from a customer who has just said": {steps: []func(State) State{grant(UserMessage, Rules{}, 0, 0), grant(MenuTap, Rules{}, 0, 0)}, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s State
			for _, step := range tc.steps {
				s = step(s)
			}
			if got := Spare(s, noon().Add(tc.at)); got != tc.want {
				t.Errorf("Spare = %d, want %d", got, tc.want)
			}
		})
	}
}

// TestTextsAboutCasesLeaveWhatPeopleKeep sends as many as are spared at random moments: no grant that had more than its share falls below it.
func TestTextsAboutCasesLeaveWhatPeopleKeep(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	kinds := []Contact{UserMessage, EnterSession, MenuTap, Follow}
	for range 2000 {
		var s State
		for range 4 {
			rules := Rules{UserMessages: []int32{0, 20}[rng.IntN(2)]}
			s = SpendMany(Grant(s, rules, kinds[rng.IntN(len(kinds))], noon().Add(time.Duration(rng.IntN(120))*time.Second)), rng.Int32N(4))
		}
		now := noon().Add(time.Duration(rng.IntN(200)) * time.Second)
		before := s
		for Spare(s, now) > 0 {
			s = Spend(s)
		}
		for name, grant := range map[string]struct {
			ends                   time.Time
			before, after, granted int32
		}{
			"message": {s.WindowEnds, before.Remaining, s.Remaining, s.Granted}, "session": {s.SessionEnds, before.SessionRemaining, s.SessionRemaining, s.SessionGranted},
		} {
			kept := max(grant.granted*2/5, 1)
			if now.Before(grant.ends) && grant.before > 0 && grant.after < min(grant.before, kept) {
				t.Fatalf("of the %s grant %d of %d were left to people, want %d: %+v", name, grant.after, grant.granted, kept, before)
			}
		}
	}
}

func TestRulesAreThePlatformsTable(t *testing.T) {
	t.Parallel()
	want := map[Contact]Rule{
		UserMessage:  {Messages: 5, Window: 48 * time.Hour},
		EnterSession: {Messages: 2, Window: time.Minute},
		MenuTap:      {Messages: 3, Window: time.Minute},
		Follow:       {Messages: 3, Window: time.Minute},
		Scan:         {Messages: 3, Window: time.Minute},
		Contact(99):  {},
	}
	for kind, want := range want {
		if got := (Rules{}).Of(kind); got != want {
			t.Errorf("Of(%d) = %+v, want %+v", kind, got, want)
		}
	}
	if got := (Rules{UserMessages: 20}).Of(UserMessage).Messages; got != 20 {
		t.Errorf("an older account's user message grants %d, want 20", got)
	}
}

func TestVerdictNames(t *testing.T) {
	t.Parallel()
	for v, want := range map[Verdict]string{Allowed: "Allowed", WindowClosed: "WindowClosed", QuotaSpent: "QuotaSpent", Verdict(9): "Unknown"} {
		if got := v.String(); got != want {
			t.Errorf("Verdict(%d) = %s, want %s", v, got, want)
		}
	}
}
