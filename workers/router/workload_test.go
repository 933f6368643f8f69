package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// counts has the groups' work counted.
func (w *world) counts() map[string]configz.Workload {
	w.t.Helper()
	if err := (&workloads{Router: w.Router}).count(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.Workloads()
}

func TestWhatTheGroupsHaveToDoIsReported(t *testing.T) {
	w := newWorld(t)
	if got := w.Workloads(); got != nil {
		t.Errorf("before anything was counted: %v", got)
	}
	once := w.says("lily", "24400001", message.Content{Kind: message.KindText, Text: "有人吗"})
	w.handles(once)
	w.handles(once, once)
	w.now = w.now.Add(5 * time.Minute)
	w.closes("lily")
	w.writes("mia", "有人吗")
	w.writes("zoe", "退款")
	w.writes("mia", "喂")
	w.now = w.now.Add(time.Minute)
	want := map[string]configz.Workload{"pre-sales": {At: w.now, Arrivals: 2}, "after-sales": {At: w.now, Arrivals: 1}}
	if diff := cmp.Diff(want, w.counts()); diff != "" {
		t.Errorf("within the quarter (-want +got):\n%s", diff)
	}
	// How long contacts take is what those took whose quarter is over.
	w.now = w.now.Add(time.Hour)
	want = map[string]configz.Workload{"pre-sales": {At: w.now, Arrivals: 2, HandlingSeconds: 300}, "after-sales": {At: w.now, Arrivals: 1}}
	if diff := cmp.Diff(want, w.counts()); diff != "" {
		t.Errorf("an hour later (-want +got):\n%s", diff)
	}
	w.now = w.now.Add(15 * time.Minute)
	if got := w.counts()["pre-sales"]; got.Arrivals != 0 {
		t.Errorf("when nobody has come for an hour: %+v", got)
	}
}

func TestTheBusiestHourRisesAtOnceAndFallsLater(t *testing.T) {
	rows := func(arrivals ...int32) (rows []db.WorkloadArrivalsRow) {
		for i, n := range arrivals { // The quarter that is not over comes first.
			rows = append(rows, db.WorkloadArrivalsRow{SkillGroup: "sales", Quarter: noon().Add(-time.Duration(i) * store.Quarter), Arrivals: n})
		}
		return append(rows, db.WorkloadArrivalsRow{SkillGroup: "pre-sales", Quarter: noon(), Arrivals: 100})
	}
	for name, tt := range map[string]struct {
		rows []db.WorkloadArrivalsRow
		want float64
	}{
		"nobody comes":              {rows(), 0},
		"who comes now counts":      {rows(3, 1, 1, 1, 1), 6},
		"a lull begins":             {rows(0, 0, 5, 5, 5), 15},
		"the hour before was worse": {rows(0, 5, 5, 5, 5), 20},
		"a lull was long enough":    {rows(0, 0, 0, 0, 5), 5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := busiestHour(tt.rows, "sales", noon()); got != tt.want {
				t.Errorf("%v contacts, want %v", got, tt.want)
			}
		})
	}
}
