package queue

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func ageing(t *testing.T, points int32) Rules {
	t.Helper()
	rules, err := Compile(yingdav1.SkillGroupSpec{PriorityAgeing: &points})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestPointsAreAHeadStart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ageing, points int32
		want           time.Duration
	}{
		"200 points at 10 a minute are 20 minutes":      {10, 200, 20 * time.Minute},
		"no points are none":                            {10, 0, 0},
		"the fastest ageing":                            {1000, 200, 12 * time.Second},
		"without ageing a point outweighs days":         {0, 1, 72 * time.Hour},
		"all points of all rules are still a time":      {0, 32_000, 32_000 * 72 * time.Hour},
		"what no rules add up to counts as the most":    {0, 1 << 30, 32_000 * 72 * time.Hour},
		"points that no rule takes away count for none": {10, -5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ageing(t, tc.ageing).HeadStart(tc.points); got != tc.want {
				t.Errorf("head start %s, want %s", got, tc.want)
			}
		})
	}
}

// TestWithAgeingEverybodyIsNextEventually serves a queue that always has somebody with more points: whoever waits comes
// before everybody who came later by more than the head start of the most points.
func TestWithAgeingEverybodyIsNextEventually(t *testing.T) {
	t.Parallel()
	type customer struct {
		came   time.Time
		points int32
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rules, most := ageing(t, 1+random.Int32N(1000)), random.Int32N(32_001)
		var waiting []customer
		now := noon()
		// Two come for each that is served: the queue never empties.
		for range 300 {
			for range 2 {
				now = now.Add(time.Duration(random.Int64N(int64(time.Minute))))
				waiting = append(waiting, customer{now, random.Int32N(most + 1)})
			}
			next := slices.MinFunc(waiting, func(a, b customer) int {
				return rules.Key(a.came, a.points).Compare(rules.Key(b.came, b.points))
			})
			waiting = slices.DeleteFunc(waiting, func(c customer) bool { return c == next })
			for _, passed := range waiting {
				if lead := next.came.Sub(passed.came); lead > rules.HeadStart(most) {
					t.Fatalf("somebody who came %s later is served before, at most %d points at %s each", lead, most, rules.Point())
				}
				if next.came.After(passed.came) && next.points <= passed.points {
					t.Fatalf("somebody who came later with %d points is served before one with %d", next.points, passed.points)
				}
			}
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	rules, now := ageing(t, 10), noon()
	for name, tc := range map[string]struct {
		waiting int
		oldest  time.Time
		want    Health
	}{
		"nobody waits":                 {0, time.Time{}, Health{}},
		"as many as may":               {5, now, Health{}},
		"one more":                     {6, now, Health{Long: true}},
		"one for as long as one may":   {1, now.Add(-Slow), Health{}},
		"one for longer":               {1, now.Add(-Slow - time.Second), Health{Slow: true}},
		"many, and one for long":       {6, now.Add(-time.Hour), Health{Long: true, Slow: true}},
		"a clock that is a bit behind": {1, now.Add(time.Second), Health{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, rules.Health(tc.waiting, tc.oldest, now)); diff != "" {
				t.Errorf("health (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExpectedWait(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ahead, taken int
		over         time.Duration
		want         string
	}{
		"nobody was taken":                          {0, 0, 30 * time.Minute, "暂时无法估计"},
		"too few for an estimate":                   {0, 2, 30 * time.Minute, "暂时无法估计"},
		"all of them just now":                      {0, 3, 0, "暂时无法估计"},
		"the next, one a minute":                    {0, 30, 30 * time.Minute, "不到 1 分钟"},
		"two ahead, one in two minutes":             {2, 15, 30 * time.Minute, "约 6 分钟"},
		"a part of a minute is one more":            {1, 20, 30 * time.Minute, "约 3 分钟"},
		"beyond ten minutes five at a time":         {10, 30, 30 * time.Minute, "约 15 分钟"},
		"a group that opened some minutes ago":      {3, 5, 5 * time.Minute, "约 4 分钟"},
		"nobody knows what is in more than an hour": {100, 30, 30 * time.Minute, "1 小时以上"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ExpectedWait(tc.ahead, tc.taken, noon().Add(-tc.over), noon()); got != tc.want {
				t.Errorf("expected wait %q, want %q", got, tc.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	after := func(text string) yingdav1.SkillGroupSpec {
		return yingdav1.SkillGroupSpec{Queue: yingdav1.SkillGroupQueue{Overflow: &yingdav1.QueueOverflow{
			After: text, ToRef: yingdav1.SkillGroupReference{Name: "pre-sales"},
		}}}
	}
	for name, tc := range map[string]struct {
		spec yingdav1.SkillGroupSpec
		want string
	}{
		"nothing declared":        {yingdav1.SkillGroupSpec{}, ""},
		"no time":                 {after(""), ""},
		"the shortest":            {after("10s"), ""},
		"the longest":             {after("24h"), ""},
		"too short":               {after("9s"), "spec.queue.overflow.after"},
		"too long":                {after("24h1s"), "spec.queue.overflow.after"},
		"no duration":             {after("soon"), "spec.queue.overflow.after"},
		"ageing beyond its bound": {yingdav1.SkillGroupSpec{PriorityAgeing: new(int32(1001))}, "spec.priorityAgeing"},
		"ageing backwards":        {yingdav1.SkillGroupSpec{PriorityAgeing: new(int32(-1))}, "spec.priorityAgeing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mistakes := Validate(tc.spec)
			if tc.want == "" && len(mistakes) > 0 || tc.want != "" && (len(mistakes) != 1 || !strings.HasPrefix(mistakes[0].Error(), tc.want)) {
				t.Errorf("mistakes %v, want %q", mistakes, tc.want)
			}
		})
	}
}
