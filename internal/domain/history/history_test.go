package history

import "testing"

func TestAnEventThatIsOlderThanActionsIsNamedByItsStep(t *testing.T) {
	for step, want := range map[string]Action{
		"apply":                      Apply,
		"enter/3":                    Due,
		"plan/2026-11-23T04:00:00Z":  Due,
		"remind/3":                   Remind,
		"escalate/3/1":               Escalate,
		"untold/2":                   NotTold,
		"begin/after-sales/a/b/c/1":  ProviderTold,
		"refused/after-sales/a/b/c1": ProviderRefused,
		"resolved":                   Resolve,
		"assign":                     Open,
		"act/desk/0199c7a4":          "",
		"something/new":              "",
	} {
		if got := Of("", step); got != want {
			t.Errorf("%s is %q, want %q", step, got, want)
		}
	}
	if got := Of("approve", "act/desk/0199c7a4"); got != "approve" {
		t.Errorf("what was written down is %q", got)
	}
}
