package scaling

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func declared(peak, limit int32, lead string) *yingdav1.PeakScaling {
	scaling := &yingdav1.PeakScaling{LeadTime: lead}
	if peak > 0 {
		scaling.PeakReplicas = new(peak)
	}
	if limit > 0 {
		scaling.MaxReplicas = new(limit)
	}
	return scaling
}

func TestWhatIsDeclared(t *testing.T) {
	for name, tt := range map[string]struct {
		got, want Spec
	}{
		"nothing":                       {Of(2, nil), Spec{Min: 2, Peak: 2}},
		"nothing but the lead":          {Of(2, declared(0, 0, "5m")), Spec{Min: 2, Peak: 2, Lead: 5 * time.Minute}},
		"peaks without an autoscaler":   {Of(1, declared(4, 0, "")), Spec{Min: 1, Peak: 4, Lead: DefaultLead}},
		"half of the most for a peak":   {Of(1, declared(0, 9, "")), Spec{Min: 1, Peak: 5, Max: 9, Lead: DefaultLead}},
		"never less than always run":    {Of(8, declared(0, 10, "")), Spec{Min: 8, Peak: 8, Max: 10, Lead: DefaultLead}},
		"all of it":                     {Of(1, declared(3, 10, "30s")), Spec{Min: 1, Peak: 3, Max: 10, Lead: 30 * time.Second}},
		"the larger of each":            {Of(1, declared(3, 10, "30s")).And(Of(2, declared(5, 6, "5m"))), Spec{Min: 2, Peak: 5, Max: 10, Lead: 5 * time.Minute}},
		"the lead of whom peaks lift":   {Of(1, declared(3, 0, "1m")).And(Of(2, declared(0, 0, "10m"))), Spec{Min: 2, Peak: 3, Lead: time.Minute}},
		"one with an autoscaler":        {Of(1, declared(2, 4, "")).And(Of(6, nil)), Spec{Min: 6, Peak: 6, Max: 6, Lead: DefaultLead}},
		"no more than there is to do":   {Of(1, declared(8, 20, "")).Within(12), Spec{Min: 1, Peak: 8, Max: 12, Lead: DefaultLead, Limit: 12}},
		"less than there is to do":      {Of(1, declared(8, 12, "")).Within(12), Spec{Min: 1, Peak: 8, Max: 12, Lead: DefaultLead}},
		"fixed, and more than there is": {Fixed(4).Within(3), Spec{Min: 3, Peak: 3, Limit: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// online is open from 9 to 21 on workdays with two peaks, as the sample of the documentation.
func online(zone string) yingdav1.ShiftScheduleSpec {
	return yingdav1.ShiftScheduleSpec{TimeZone: zone, Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday, yingdav1.Wednesday, yingdav1.Thursday, yingdav1.Friday},
		Shift: yingdav1.Shift{Name: "weekday", Start: "09:00", Duration: "12h", Seats: new(int32(1)), Peaks: []yingdav1.Peak{
			{Name: "noon", Start: "12:00", Duration: "2h", Seats: 3}, {Name: "evening", Start: "19:00", Duration: "2h", Seats: 3},
		}},
	}}}
}

func mustSource(tb testing.TB, name string, spec yingdav1.ShiftScheduleSpec, calendars ...yingdav1.HolidayCalendarSpec) Source {
	tb.Helper()
	var usable []*schedule.Calendar
	for _, calendar := range calendars {
		if compiled, err := schedule.CompileCalendar(calendar); err == nil {
			usable = append(usable, compiled)
		}
	}
	compiled, err := schedule.Compile(spec, usable...)
	if err != nil {
		tb.Fatal(err)
	}
	return NewSource(name, compiled)
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return moment
}

func TestAPlanThroughADay(t *testing.T) {
	shanghai := mustSource(t, "online", online("Asia/Shanghai"), yingdav1.HolidayCalendarSpec{Days: []yingdav1.CalendarDay{
		{Date: "2026-11-11", Kind: yingdav1.CalendarDayPeak, Name: "双十一"}, {Date: "2026-11-12", Kind: yingdav1.CalendarDayOff},
	}})
	early := online("Asia/Shanghai")
	early.Shifts[0].Peaks = []yingdav1.Peak{{Name: "brunch", Start: "11:00", Duration: "2h", Seats: 2}}
	for name, tt := range map[string]struct {
		sources []Source
		t       string
		floor   int32
		reason  string
		next    string
	}{
		"before a peak": {
			[]Source{shanghai}, "2026-11-10T10:00:00+08:00", 1, "no peak; 3 from 2026-11-10T11:50+08:00 for noon of online", "2026-11-10T11:50:00+08:00",
		},
		"the last second before the lead": {
			[]Source{shanghai}, "2026-11-10T11:49:59+08:00", 1, "no peak; 3 from 2026-11-10T11:50+08:00 for noon of online", "2026-11-10T11:50:00+08:00",
		},
		"the lead":                      {[]Source{shanghai}, "2026-11-10T11:50:00+08:00", 3, "peak noon of online until 2026-11-10T14:00+08:00", "2026-11-10T14:00:00+08:00"},
		"the last second of the peak":   {[]Source{shanghai}, "2026-11-10T13:59:59+08:00", 3, "peak noon of online until 2026-11-10T14:00+08:00", "2026-11-10T14:00:00+08:00"},
		"its end":                       {[]Source{shanghai}, "2026-11-10T14:00:00+08:00", 1, "no peak; 3 from 2026-11-10T18:50+08:00 for evening of online", "2026-11-10T18:50:00+08:00"},
		"a day of sales, while open":    {[]Source{shanghai}, "2026-11-11T09:00:00+08:00", 3, "peak 双十一 of online until 2026-11-11T12:00+08:00", "2026-11-11T11:50:00+08:00"},
		"a peak on a day of sales":      {[]Source{shanghai}, "2026-11-11T12:00:00+08:00", 3, "peak noon of online until 2026-11-11T14:00+08:00", "2026-11-11T13:50:00+08:00"},
		"the lead of a day of sales":    {[]Source{shanghai}, "2026-11-11T08:50:00+08:00", 3, "peak 双十一 of online until 2026-11-11T12:00+08:00", "2026-11-11T11:50:00+08:00"},
		"a holiday, after its midnight": {[]Source{shanghai}, "2026-11-12T12:00:00+08:00", 1, "no peak; 3 from 2026-11-13T11:50+08:00 for noon of online", "2026-11-13T08:00:00+08:00"},
		"peaks that overlap": {
			[]Source{shanghai, mustSource(t, "early", early)}, "2026-11-10T11:55:00+08:00", 3, "peak brunch of early until 2026-11-10T13:00+08:00", "2026-11-10T13:00:00+08:00",
		},
		"the rest of the later one": {
			[]Source{shanghai, mustSource(t, "early", early)}, "2026-11-10T13:00:00+08:00", 3, "peak noon of online until 2026-11-10T14:00+08:00", "2026-11-10T14:00:00+08:00",
		},
		"no schedule": {nil, "2026-11-10T12:00:00+08:00", 1, "no peak in the week ahead", "2026-11-11T08:00:00+08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := Make(Of(1, declared(3, 6, "")), tt.sources, at(t, tt.t))
			got := fmt.Sprint(plan.Floor, " ", plan.Reason, " ", plan.Next.UTC())
			if want := fmt.Sprint(tt.floor, " ", tt.reason, " ", at(t, tt.next).UTC()); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestWithoutPeaksThereIsNothingToWakeFor(t *testing.T) {
	plan := Make(Fixed(2), []Source{mustSource(t, "online", online("Asia/Shanghai"))}, at(t, "2026-11-10T12:00:00+08:00"))
	if plan.Floor != 2 || !plan.Next.IsZero() || len(plan.Lifts) > 0 {
		t.Errorf("the plan is %+v", plan)
	}
}

// randomly makes schedules with peaks that touch, overlap and run over midnight, in zones whose clocks change.
func randomly(random *rand.Rand) (sources []yingdav1.ShiftScheduleSpec, lead time.Duration, from time.Time) {
	zones := map[string]string{
		"America/New_York": "2026-03-07T00:00:00Z", "Europe/Berlin": "2026-10-24T00:00:00Z", "Africa/Cairo": "2026-04-23T00:00:00Z",
		"Asia/Shanghai": "2026-12-28T00:00:00Z", "America/Nuuk": "2026-03-27T00:00:00Z",
	}
	names := []string{"America/New_York", "Europe/Berlin", "Africa/Cairo", "Asia/Shanghai", "America/Nuuk"}
	first := names[random.IntN(len(names))]
	from, _ = time.Parse(time.RFC3339, zones[first])
	clock := func() string { return fmt.Sprintf("%02d:%02d", random.IntN(24), 10*random.IntN(6)) }
	length := func() string { return fmt.Sprintf("%dm", 10+10*random.IntN(143)) }
	for n := range 1 + random.IntN(3) {
		spec := yingdav1.ShiftScheduleSpec{TimeZone: first}
		if n > 0 {
			spec.TimeZone = names[random.IntN(len(names))]
		}
		days := []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday, yingdav1.Wednesday, yingdav1.Thursday, yingdav1.Friday, yingdav1.Saturday, yingdav1.Sunday}
		for k := range 1 + random.IntN(2) {
			shift := yingdav1.Shift{Name: fmt.Sprint("s", k), Start: clock(), Duration: length(), Seats: new(int32(1))}
			for p := range random.IntN(3) {
				start, _ := time.Parse("15:04", shift.Start)
				long, _ := time.ParseDuration(shift.Duration)
				within := start.Add(time.Duration(random.IntN(int(long/(10*time.Minute)))) * 10 * time.Minute).Format("15:04")
				shift.Peaks = append(shift.Peaks, yingdav1.Peak{Name: fmt.Sprint("p", p), Start: within, Duration: length(), Seats: 2})
			}
			spec.Shifts = append(spec.Shifts, yingdav1.WeeklyShift{Days: days[random.IntN(7):], Shift: shift})
		}
		sources = append(sources, spec)
	}
	return sources, time.Duration(random.IntN(90)) * time.Minute, from
}

// TestThePlanIsThePeaksAndTheirLead walks four days minute by minute: the floor is lifted where one of the schedules has a peak
// now or within the lead, and nowhere else; it changes only where the plan said that it would; and by KEDA's own rule the
// rendered expressions say the same.
func TestThePlanIsThePeaksAndTheirLead(t *testing.T) {
	const minutes = 4 * 24 * 60
	for seed := range uint64(16) {
		random := rand.New(rand.NewPCG(seed, 4))
		specs, lead, from := randomly(random)
		var sources []Source
		for i, spec := range specs {
			sources = append(sources, mustSource(t, fmt.Sprint("schedule-", i), spec))
		}
		// A peak at a minute lifts from a lead before it.
		lifted := make([]bool, minutes)
		for m := range minutes + int(lead/time.Minute) {
			for _, source := range sources {
				if source.schedule.At(from.Add(time.Duration(m)*time.Minute)).Peak != "" {
					for early := max(0, m-int(lead/time.Minute)); early <= m && early < minutes; early++ {
						lifted[early] = true
					}
				}
			}
		}
		spec := Spec{Min: 1, Peak: 3, Lead: lead}
		var previous Plan
		for m, want := range lifted {
			if m%5 != 0 && want == lifted[m-1] {
				continue // Nothing but the lead is given in less than ten minutes.
			}
			now := from.Add(time.Duration(m) * time.Minute)
			plan := Make(spec, sources, now)
			if got := plan.Floor == 3; got != want {
				t.Fatalf("seed %d, %s, lead %s: lifted is %v, want %v\n%+v", seed, now, lead, got, want, specs)
			}
			if m > 0 && now.Before(previous.Next) && (plan.Floor != previous.Floor || plan.Reason != previous.Reason || !plan.Next.Equal(previous.Next)) {
				t.Fatalf("seed %d, %s: the plan changes before %s: %q, then %q", seed, now, previous.Next, previous.Reason, plan.Reason)
			}
			if m == 0 || now.Truncate(day).Equal(now) {
				crons := compiled(t, plan.Crons())
				for k := m; k < len(lifted) && k < m+24*60; k++ {
					if got := inside(crons, from.Add(time.Duration(k)*time.Minute+time.Second)); got != lifted[k] {
						t.Fatalf("seed %d, %s: KEDA finds %v, want %v\n%+v", seed, from.Add(time.Duration(k)*time.Minute), got, lifted[k], plan.Crons())
					}
				}
			}
			previous = plan
		}
	}
}

type schedules struct{ start, end cron.Schedule }

func compiled(t *testing.T, crons []Cron) []schedules {
	t.Helper()
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	var all []schedules
	for _, c := range crons {
		start, err := parser.Parse(c.Start)
		if err != nil {
			t.Fatal(err)
		}
		end, err := parser.Parse(c.End)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, schedules{start, end})
	}
	return all
}

// inside is the rule of KEDA's cron scaler.
func inside(crons []schedules, now time.Time) bool {
	for _, c := range crons {
		if start, end := c.start.Next(now), c.end.Next(now); !start.Before(end) {
			return true
		}
	}
	return false
}

func TestLiftsOfOneTimeOfDayAreOneCron(t *testing.T) {
	plan := Make(Of(1, declared(3, 6, "")), []Source{mustSource(t, "online", online("Asia/Shanghai"))}, at(t, "2026-11-25T10:00:00Z"))
	want := []Cron{
		{"50 3 25,26,27,30 11 *", "0 6 25,26,27,30 11 *"},
		{"50 10 25,26,27,30 11 *", "0 13 25,26,27,30 11 *"},
		{"50 3 1,2 12 *", "0 6 1,2 12 *"},
		{"50 10 1,2 12 *", "0 13 1,2 12 *"},
	}
	if diff := cmp.Diff(want, plan.Crons()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
