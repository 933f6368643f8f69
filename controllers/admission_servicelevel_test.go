package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfServiceLevels(t *testing.T) { newAdmission(t).tries(serviceLevelAttempts()) }

func serviceLevelAttempts() map[string]attempt {
	return map[string]attempt{
		"a ladder that climbs":                    {ladder("59m", "1h"), ""},
		"a ladder that stands still":              {ladder("60m", "1h"), "each rung's after must be longer"},
		"the shortest and the longest rung":       {ladder("1s", "720h"), ""},
		"a rung at once":                          {ladder("0s"), "after must be at least 1s"},
		"a rung after a month":                    {ladder("721h"), "after must be at least 1s and at most 720h"},
		"an answer within a minute":               {offHours("1m"), ""},
		"an answer within seconds":                {offHours("59s"), "answerWithin must be at least 1m"},
		"an emergency of two, calm for a minute":  {emergency(v1alpha1.EmergencySpec{Detection: "Disabled", MinComplaints: 2, TimesUsual: 2, CalmFor: "1m"}), ""},
		"an emergency of ten thousand":            {emergency(v1alpha1.EmergencySpec{MinComplaints: 10000, TimesUsual: 100, CalmFor: "24h"}), ""},
		"an emergency of one":                     {emergency(v1alpha1.EmergencySpec{MinComplaints: 1}), "minComplaints"},
		"an emergency of what is usual":           {emergency(v1alpha1.EmergencySpec{TimesUsual: 1}), "timesUsual"},
		"an emergency that is over at once":       {emergency(v1alpha1.EmergencySpec{CalmFor: "59s"}), "calmFor must be at least 1m and at most 24h"},
		"an emergency that is perhaps looked for": {emergency(v1alpha1.EmergencySpec{Detection: "Maybe"}), "Unsupported value"},
		"an emergency whose calm has no unit":     {emergency(v1alpha1.EmergencySpec{CalmFor: "30"}), "write calmFor in hours, minutes and seconds, for example 30m"},
		"an answer after a day":                   {offHours("25h"), "answerWithin must be at least 1m and at most 24h"},
		"a reply with everything":                 {reply("1s", "1s", "24h"), ""},
		"a reply of no length":                    {reply("0s", "", ""), "target must be at least 1s and at most 24h"},
		"a reply after a day":                     {reply("", "", "25h"), "reviewAfter must be at least 1s and at most 24h"},
		"a reminder after a day":                  {reply("", "25h", ""), "warnAfter must be at least 1s and at most 24h"},
		"a reply without a unit":                  {reply("15", "", ""), "write target in hours, minutes and seconds, for example 15s"},
		"a warning without a unit":                {reply("", "20", ""), "write warnAfter in hours, minutes and seconds, for example 20s"},
		"a review without a unit":                 {reply("", "", "5"), "write reviewAfter in hours, minutes and seconds, for example 5m"},
		"a reminder before the target":            {reply("", "14s", ""), "target must not be longer than warnAfter"},
		"a review before the reminder":            {reply("", "", "19s"), "warnAfter must not be longer than reviewAfter"},
		"quality with defaults":                   {judging(v1alpha1.QualitySpec{}), ""},
		"quality without a sample":                {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(0))}), ""},
		"quality with everything":                 {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(100)), ReviewResponsesOver: "24h", DueWithin: "720h"}), ""},
		"a sample of more than all":               {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(101))}), "samplePercent"},
		"a sample of less than none":              {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(-1))}), "samplePercent"},
		"a wait of no length":                     {judging(v1alpha1.QualitySpec{ReviewResponsesOver: "0s"}), "reviewResponsesOver must be at least 1s"},
		"a wait without a unit":                   {judging(v1alpha1.QualitySpec{ReviewResponsesOver: "5"}), "write reviewResponsesOver in hours, minutes and seconds, for example 5m"},
		"a judgement within seconds":              {judging(v1alpha1.QualitySpec{DueWithin: "59s"}), "dueWithin must be at least 1m and at most 720h"},
		"a judgement without a unit":              {judging(v1alpha1.QualitySpec{DueWithin: "2 days"}), "write dueWithin in hours, minutes and seconds, for example 48h"},
		"a first response with everything":        {firstResponse("24h", "24h"), ""},
		"a first response of no length":           {firstResponse("0s", ""), "target must be at least 1s and at most 24h"},
		"a first response without a unit":         {firstResponse("1", ""), "write target in hours, minutes and seconds, for example 1m"},
		"a first response after a day":            {firstResponse("", "25h"), "limit must be at least 1s and at most 24h"},
		"a limit without a unit":                  {firstResponse("", "3"), "write limit in hours, minutes and seconds, for example 3m"},
		"a limit before the target":               {firstResponse("", "59s"), "target must not be longer than limit"},
		"a resolution with everything": {resolution(v1alpha1.ResolutionSpec{
			Common: "1m", General: "1m", Complex: "24h", Topics: []v1alpha1.TopicClass{{Name: "order", Class: v1alpha1.ResolutionCommon}},
		}), ""},
		"common without a unit":       {resolution(v1alpha1.ResolutionSpec{Common: "5"}), "write common in hours, minutes and seconds, for example 5m"},
		"general of no length":        {resolution(v1alpha1.ResolutionSpec{General: "0s"}), "general must be at least 1s and at most 24h"},
		"complex without a unit":      {resolution(v1alpha1.ResolutionSpec{Complex: "30"}), "write complex in hours, minutes and seconds, for example 30m"},
		"a resolution of no length":   {resolution(v1alpha1.ResolutionSpec{Common: "0s"}), "common must be at least 1s and at most 24h"},
		"a resolution without a unit": {resolution(v1alpha1.ResolutionSpec{General: "15"}), "write general in hours, minutes and seconds, for example 15m"},
		"a resolution after a day":    {resolution(v1alpha1.ResolutionSpec{Complex: "25h"}), "complex must be at least 1s and at most 24h"},
		"common after general":        {resolution(v1alpha1.ResolutionSpec{Common: "16m"}), "common must not be longer than general"},
		"general after complex":       {resolution(v1alpha1.ResolutionSpec{General: "31m"}), "general must not be longer than complex"},
		"a class that does not exist": {resolution(v1alpha1.ResolutionSpec{Topics: []v1alpha1.TopicClass{{Name: "order", Class: "Easy"}}}), "Unsupported value"},
		"a topic twice": {resolution(v1alpha1.ResolutionSpec{Topics: []v1alpha1.TopicClass{
			{Name: "order", Class: v1alpha1.ResolutionCommon}, {Name: "order", Class: v1alpha1.ResolutionComplex},
		}}), "Duplicate value"},
		"a rung that calls agents": {calling(v1alpha1.RoleAgent), "a ladder calls Supervisor or Admin"},
		"a rung that calls nobody": {calling("Owner"), "Unsupported value"},
		"a rung without a unit":    {ladder("60"), "write after in hours, minutes and seconds, for example 1h"},
		"a rung beyond all clocks": {ladder("9999999999h"), "write after in hours, minutes and seconds"},
		"a month in seconds":       {ladder("2592000s"), ""},
		"an answer without a unit": {offHours("soon"), "write answerWithin in hours, minutes and seconds, for example 1h"},
	}
}

func TestAdmissionOfShipping(t *testing.T) { newAdmission(t).tries(shippingAttempts()) }

func shippingAttempts() map[string]attempt {
	level := func(edit func(*v1alpha1.ShippingSpec)) *v1alpha1.ServiceLevel {
		level := serviceLevel("standard")
		edit(&level.Spec.Shipping)
		return level
	}
	climbing := func(rungs ...v1alpha1.LateRung) *v1alpha1.ServiceLevel {
		return level(func(s *v1alpha1.ShippingSpec) { s.Ladder = rungs })
	}
	rung := func(after string) v1alpha1.LateRung {
		return v1alpha1.LateRung{After: after, Notify: v1alpha1.RoleSupervisor}
	}
	saying := func(text string) *v1alpha1.ServiceLevel {
		return level(func(s *v1alpha1.ShippingSpec) { s.LateText = text })
	}
	tests := map[string]attempt{
		"nothing said of shipping":   {level(func(*v1alpha1.ShippingSpec) {}), ""},
		"the longest excuse":         {saying(strings.Repeat("歉", 300)), ""},
		"an excuse that is a novel":  {saying(strings.Repeat("歉", 301)), "may not be more than 300"},
		"a ladder of five rungs":     {climbing(rung("1s"), rung("2m"), rung("3m"), rung("4m"), v1alpha1.LateRung{After: "720h", Notify: v1alpha1.RoleAdmin}), ""},
		"a ladder of six rungs":      {climbing(rung("1m"), rung("2m"), rung("3m"), rung("4m"), rung("5m"), rung("6m")), "must have at most 5 items"},
		"a ladder that stands still": {climbing(rung("60m"), rung("1h")), "each rung's after must be longer than the one before: it counts from when it was due"},
		"a rung at once":             {climbing(rung("0s")), "after must be at least 1s and at most 720h"},
		"a rung after a month":       {climbing(rung("721h")), "after must be at least 1s and at most 720h"},
		"a rung at some time":        {climbing(rung("soon")), "write after in hours, minutes and seconds"},
		"a rung that calls agents":   {climbing(v1alpha1.LateRung{After: "1h", Notify: v1alpha1.RoleAgent}), "a ladder calls Supervisor or Admin"},
		"a rung that calls nobody":   {climbing(v1alpha1.LateRung{After: "1h", Notify: "Owner"}), "Unsupported value"},
	}
	for name, field := range map[string]struct {
		set     func(*v1alpha1.ShippingSpec, string)
		longest string
		beyond  string
	}{
		"within":        {func(s *v1alpha1.ShippingSpec, d string) { s.Within = d }, "720h", "721h"},
		"changesWithin": {func(s *v1alpha1.ShippingSpec, d string) { s.ChangesWithin = d }, "720h", "721h"},
		"remindBefore":  {func(s *v1alpha1.ShippingSpec, d string) { s.RemindBefore = d }, "24h", "25h"},
	} {
		bounds := name + " must be at least 1s and at most " + field.longest
		for duration, want := range map[string]string{
			"1s": "", field.longest: "", "0s": bounds, field.beyond: bounds, "1d": "write " + name + " in hours, minutes and seconds",
			strings.Repeat("1h", 9): "may not be more than 16",
		} {
			tests[name+" of "+duration] = attempt{level(func(s *v1alpha1.ShippingSpec) { field.set(s, duration) }), want}
		}
	}
	return tests
}

func ladder(after ...string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	for _, a := range after {
		level.Spec.Complaint.Ladder = append(level.Spec.Complaint.Ladder, v1alpha1.EscalationRung{After: a, Notify: v1alpha1.RoleSupervisor})
	}
	return level
}

// calling is a ladder of complaints that calls a role. An Enum on a field whose type has one of its own would not narrow it.
func calling(role v1alpha1.AgentRole) *v1alpha1.ServiceLevel {
	level := ladder("1h")
	level.Spec.Complaint.Ladder[0].Notify = role
	return level
}

func offHours(within string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.OffHours.AnswerWithin = within
	return level
}

func emergency(spec v1alpha1.EmergencySpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Emergency = spec
	return level
}

func judging(quality v1alpha1.QualitySpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Quality = &quality
	return level
}

func reply(target, warnAfter, reviewAfter string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Reply = v1alpha1.ReplySpec{Target: target, WarnAfter: warnAfter, ReviewAfter: reviewAfter}
	return level
}

func resolution(spec v1alpha1.ResolutionSpec) *v1alpha1.ServiceLevel {
	level := firstResponse("", "")
	level.Spec.Resolution = spec
	return level
}

func firstResponse(target, limit string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.FirstResponse = v1alpha1.FirstResponseSpec{Target: target, Limit: limit}
	return level
}
