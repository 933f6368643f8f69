package burst

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func rules() Rules { return Rules{MinComplaints: 5, TimesUsual: 3, CalmFor: 30 * time.Minute} }

// days is a history of that many complaints in the hour, each day.
func days(count ...int) []int { return count }

func always(count int) []int { return slices.Repeat([]int{count}, 20) }

// seen is what comes in a quarter and an hour after days that had so many in the hour, and a quarter of these in the quarter.
func seen(quarter, hour int, past []int) Seen {
	s := Seen{Quarter: quarter, Hour: hour, PastHours: past}
	for _, count := range past {
		s.PastQuarters = append(s.PastQuarters, count/4)
	}
	return s
}

func TestWhatIsABurst(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seen Seen
		want time.Duration
	}{
		"one complaint where there never was one is none":         {seen(1, 1, always(0)), 0},
		"four within a minute are too few":                        {seen(4, 4, always(0)), 0},
		"six in a quarter where there never was one are a burst":  {seen(6, 6, always(0)), Quarter},
		"nine spread over an hour are":                            {seen(3, 9, always(0)), Hour},
		"thirty in a quarter where twenty an hour are usual are":  {seen(30, 35, always(20)), Quarter},
		"twice the usual is none, however many":                   {seen(500, 2000, always(1000)), 0},
		"three times the usual is, of many":                       {seen(800, 2000, always(1000)), Quarter},
		"three times a few is no more than chance":                {seen(2, 6, always(2)), 0},
		"what some days have anyway is none":                      {seen(10, 40, days(2, 30, 1, 3, 35, 2, 28, 2, 1, 40)), 0},
		"the same is one where days are alike":                    {seen(10, 50, days(14, 15, 14, 13, 15, 14, 15, 14, 15, 15)), Hour},
		"of a history that is short more is asked: five days":     {seen(0, 8, days(1, 0, 1, 0, 1)), 0},
		"of a history that is short more is asked: the same long": {seen(0, 10, always(1)), Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			window, far := tt.seen.Far(rules())
			if window != tt.want || far != (tt.want > 0) {
				t.Errorf("far in %s: %t, want %s", window, far, tt.want)
			}
		})
	}
}

func TestWhenItIsOver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lately, usual int
		want          bool
	}{
		"none is calm":                            {0, 0, true},
		"one is calm, where none is usual":        {1, 0, true},
		"two are not":                             {2, 0, false},
		"below twice the usual is calm":           {19, 20, true},
		"twice the usual is not":                  {20, 20, false},
		"three times the usual is not, of course": {30, 20, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (Seen{Lately: tt.lately, PastHours: always(tt.usual)}).Calm(rules()); got != tt.want {
				t.Errorf("calm: %t, want %t", got, tt.want)
			}
		})
	}
}

// random is what may be seen of a group.
func random(rng *rand.Rand) Seen {
	s := Seen{Quarter: rng.IntN(60)}
	s.Hour = s.Quarter + rng.IntN(60)
	s.Lately = s.Quarter + rng.IntN(s.Hour-s.Quarter+1)
	level := rng.IntN(40) + 1
	for range leastDays + rng.IntN(20) {
		hour := rng.IntN(level)
		s.PastHours, s.PastQuarters = append(s.PastHours, hour), append(s.PastQuarters, rng.IntN(hour+1))
	}
	return s
}

func TestMoreComplaintsAreNoLessOfABurst(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		s := random(rng)
		more := s
		more.Quarter, more.Hour, more.Lately = s.Quarter+1, s.Hour+1, s.Lately+1
		_, before := s.Far(rules())
		if _, after := more.Far(rules()); before && !after {
			t.Fatalf("%+v is a burst, and with one complaint more it is none", s)
		}
		if more.Calm(rules()) && !s.Calm(rules()) {
			t.Fatalf("%+v is not calm, and with one complaint more it is", s)
		}
	}
}

func TestWhatBeginsIsNotOverInTheSameMoment(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	found := 0
	for range 50000 {
		s := random(rng)
		if window, far := s.Far(rules()); far && window == Quarter {
			found++
			if s.Calm(rules()) && float64(s.Quarter) > calmBelow*s.Usual()*rules().CalmFor.Hours() {
				t.Fatalf("%+v is a burst and calm", s)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d bursts among the cases", found)
	}
}

func TestTheTailIsThatOfPoissonWhereNothingSpreads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		count int
		mean  float64
		want  float64
	}{
		{5, 0.5, 1.7211562995584077e-4},
		{5, 0.25, 6.611712e-6},
		{30, 10, 2.5088e-7},
	} {
		if got := (level{tt.mean, 1e-9}).atLeast(tt.count); math.Abs(got/tt.want-1) > 1e-3 {
			t.Errorf("%d or more of %g have %g, want %g", tt.count, tt.mean, got, tt.want)
		}
	}
	if got := (level{100000, 1e-9}).atLeast(400000); got != 0 {
		t.Errorf("what is hopeless has %g", got)
	}
}

func TestWhichScopeIsConcerned(t *testing.T) {
	t.Parallel()
	calm, busy := seen(1, 4, always(4)), seen(20, 40, always(4))
	large := seen(25, 100, always(100))
	for name, tt := range map[string]struct {
		groups  map[string]Seen
		lasting []string
		want    []string
	}{
		"nothing unusual":                         {map[string]Seen{"a": calm, "b": calm}, nil, nil},
		"nothing at all":                          {nil, nil, nil},
		"what is one group's is that group's":     {map[string]Seen{"a": busy, "b": calm}, nil, []string{"a"}},
		"even where it is lost in the brand":      {map[string]Seen{"a": busy, "b": large, "c": large}, nil, []string{"a"}},
		"what is everywhere is the brand's":       {map[string]Seen{"a": busy, "b": busy, "c": calm}, nil, []string{Brand}},
		"what belongs to no group is the brand's": {map[string]Seen{"": busy, "a": calm}, nil, []string{Brand}},
		"what lasts is not opened again":          {map[string]Seen{"a": busy, "b": calm}, []string{"a"}, nil},
		"a group's own does not make the brand's": {map[string]Seen{"a": busy, "b": calm, "c": calm}, []string{"a"}, nil},
		"another group's beside it is its own":    {map[string]Seen{"a": busy, "b": busy}, []string{"a"}, []string{"b"}},
		"the brand's covers its groups":           {map[string]Seen{"a": busy, "b": busy}, []string{Brand}, nil},
		"what is a little in each group shows in the brand's": {
			map[string]Seen{"a": few(), "b": few(), "c": few()}, nil, []string{Brand},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lasting := func(scope string) bool { return slices.Contains(tt.lasting, scope) }
			if diff := cmp.Diff(tt.want, Open(tt.groups, lasting, rules())); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
		})
	}
}

// few is what is no burst of its own.
func few() Seen { return seen(4, 4, always(0)) }

func TestPast(t *testing.T) {
	t.Parallel()
	berlin, err := schedule.Compile(yingdav1.ShiftScheduleSpec{TimeZone: "Europe/Berlin", Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	// A Wednesday, ten days after clocks went back.
	now, long := time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	saturday := now.AddDate(0, 0, 3)
	for name, tt := range map[string]struct {
		now, since time.Time
		hours      *schedule.Schedule
		unusual    []Span
		want       int
	}{
		"four weeks have twenty working days":          {now, long, nil, nil, 20},
		"and eight days off":                           {saturday, long, nil, nil, 8},
		"who began last week is compared with any day": {now, now.AddDate(0, 0, -6), nil, nil, 5},
		"who began yesterday with none":                {now, now.AddDate(0, 0, -1), nil, nil, 0},
		"what was an emergency is not usual":           {now, long, nil, []Span{{now.AddDate(0, 0, -1).Add(-30 * time.Minute), now.AddDate(0, 0, -1).Add(time.Hour)}}, 19},
		"what ended before that hour leaves it alone":  {now, long, nil, []Span{{now.AddDate(0, 0, -1).Add(-3 * time.Hour), now.AddDate(0, 0, -1).Add(-time.Hour)}}, 20},
		"clocks that change do not move the hour":      {now, long, berlin, nil, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			past := Past(tt.now, tt.since, tt.hours, tt.unusual)
			if len(past) != tt.want {
				t.Errorf("%d days, want %d", len(past), tt.want)
			}
			zone := time.UTC
			if tt.hours != nil {
				zone = tt.hours.Location()
			}
			for _, at := range past {
				if at.In(zone).Format(time.TimeOnly) != tt.now.In(zone).Format(time.TimeOnly) {
					t.Errorf("%s is another time of day", at)
				}
			}
			if _, enough := NewLook(tt.now, tt.since, tt.hours, tt.unusual, rules()); enough != (tt.want >= leastDays) {
				t.Errorf("enough: %t", enough)
			}
		})
	}
}

func TestCountsGoWhereTheyBelong(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC)
	look, _ := NewLook(now, now.AddDate(0, 0, -6), nil, nil, rules())
	windows := look.Windows()
	if len(windows) != 13 || windows[0].From != now.Add(-Quarter) || windows[12] != (Span{now.AddDate(0, 0, -5).Add(-Hour), now.AddDate(0, 0, -5)}) {
		t.Fatalf("windows %v", windows)
	}
	got := look.Seen([]Count{{0, "a", 1}, {1, "a", 2}, {2, "a", 3}, {3, "a", 4}, {4, "a", 6}, {12, "b", 5}})
	want := map[string]Seen{
		"a": {1, 2, 3, []int{4, 0, 0, 0, 0}, []int{6, 0, 0, 0, 0}}, "b": {0, 0, 0, []int{0, 0, 0, 0, 0}, []int{0, 0, 0, 0, 5}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Seen{1, 2, 3, []int{4, 0, 0, 0, 0}, []int{6, 0, 0, 0, 5}}, Of(got, Brand, func(string) bool { return false })); diff != "" {
		t.Errorf("the brand (-want +got):\n%s", diff)
	}
}
