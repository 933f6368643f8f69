package servicelevel

import (
	"strings"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
)

// measureAgain is when routers may have measured anew.
const measureAgain = 5 * time.Minute

// attained says how what customers of all Brands got compares with what the ServiceLevel wants; false where it wants nothing.
func attained(level *v1alpha1.ServiceLevel, brands [][]ack.Group) (conditions.Condition, bool) {
	const condition = v1alpha1.ConditionObjectivesMet
	wanted, wrong := servicelevel.CompileObjectives(level.Spec.Objectives)
	switch {
	case wanted == nil:
		return conditions.Condition{}, false
	case len(wrong) > 0:
		return conditions.Unknown(condition, v1alpha1.ReasonInvalid, "Not measured: invalid"), true
	}
	measured, known := tallied(level.Name, wanted.Rules(), brands)
	if !known {
		return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the router says what customers got"), true
	}
	words, some, missed := []string{}, false, false
	for _, got := range wanted.Judge(measured) {
		said := string(got.Objective) + " unknown, wanted " + got.Wanted
		if got.Known {
			said = string(got.Objective) + " " + got.Got + ", wanted " + got.Wanted
		}
		words, some, missed = append(words, said), some || got.Known, missed || got.Known && !got.Met
	}
	message := "Over the last " + window(wanted.Window) + ": " + strings.Join(words, "; ")
	switch {
	case missed:
		return conditions.False(condition, v1alpha1.ReasonObjectivesMissed, message), true
	case some:
		return conditions.True(condition, v1alpha1.ReasonObjectivesMet, message), true
	}
	return conditions.Unknown(condition, v1alpha1.ReasonTooFewCustomers, message), true
}

// tallied adds up what the routers of the Brands counted, of each Brand what was counted last; false while none says that it looked.
// What was measured by other rules cannot be added.
func tallied(level, rules string, brands [][]ack.Group) (map[servicelevel.Objective]servicelevel.Tally, bool) {
	sum, known := map[servicelevel.Objective]servicelevel.Tally{}, false
	for _, groups := range brands {
		var last configz.Measured
		for _, group := range groups {
			for _, answer := range group.Answers {
				if answer.Err != nil || answer.Report.Objectives == nil {
					continue
				}
				known = true
				if said := answer.Report.Objectives[level]; said.Rules == rules && said.At.After(last.At) {
					last = said
				}
			}
		}
		for name, tally := range last.Tallies {
			objective := servicelevel.Objective(name)
			sum[objective] = sum[objective].Plus(servicelevel.Tally(tally))
		}
	}
	return sum, known
}

// window writes it as it is declared: 24h, not 24h0m0s.
func window(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}
