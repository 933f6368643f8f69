package servicelevel

import (
	"regexp"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Objective is something that a brand wants of its service as a whole.
type Objective string

// The objectives, by the names that conditions and metrics have for them.
const (
	Answered       Objective = "answered"
	Resolved       Objective = "resolved"
	Satisfaction   Objective = "satisfaction"
	BotContainment Objective = "botContainment"
)

// Fewest is how many customers tell something: of fewer one more or less would change the answer.
const Fewest = 20

// The defaults and bounds of objectives in the resource's schema.
const (
	defaultWindow = 24 * time.Hour

	minWindow, maxWindow = time.Hour, 168 * time.Hour

	// tenthsAPoint: what is wanted of satisfaction has one decimal.
	tenthsAPoint = 10
	hundred      = 100
)

// Objectives are what is wanted and how it is measured, in a form to work with.
type Objectives struct {
	Window time.Duration
	// AnsweredWithin is zero where nothing is wanted of it.
	AnsweredWithin time.Duration
	wanted         []want
}

// want is how much there is to be of an objective: percent, or tenths of a point.
type want struct {
	objective Objective
	least     int64
}

// scale is how many of the units in which something is wanted make a whole: a share of 1, a point.
func (o Objective) scale() int64 {
	if o == Satisfaction {
		return tenthsAPoint
	}
	return hundred
}

// Tally is what was counted of an objective: of the customers whom it is about, those who got what is wanted, or the sum of their
// ratings from 1 to 5.
type Tally struct {
	Sum int64 `json:"sum"`
	Of  int64 `json:"of"`
}

// Plus is the tally of the customers of both.
func (t Tally) Plus(other Tally) Tally { return Tally{t.Sum + other.Sum, t.Of + other.Of} }

// Attainment is how what customers got compares with what is wanted.
type Attainment struct {
	Objective Objective
	// Known says that enough customers tell of it; without, nothing is Met.
	Known, Met bool
	// Got is rounded down, so that it is as much as Wanted exactly where that was met. Both are percent, or points with a decimal.
	Got, Wanted string
	// Ratio is what customers got in relation to what is wanted.
	Ratio float64
}

// Judge compares, objective by objective in the order of the resource; those that nothing is wanted of are left out.
func (o *Objectives) Judge(measured map[Objective]Tally) []Attainment {
	out := make([]Attainment, len(o.wanted))
	for i, w := range o.wanted {
		out[i] = Attainment{Objective: w.objective, Wanted: w.objective.words(w.least)}
		tally := measured[w.objective]
		if tally.Of < Fewest {
			continue
		}
		got := tally.Sum * w.objective.scale()
		out[i].Known, out[i].Met, out[i].Got = true, got >= w.least*tally.Of, w.objective.words(got/tally.Of)
		out[i].Ratio = float64(got) / float64(w.least*tally.Of)
	}
	return out
}

// Rules tell measurements apart that cannot be compared.
func (o *Objectives) Rules() string { return o.Window.String() + " " + o.AnsweredWithin.String() }

// Wants says whether anything is wanted of an objective.
func (o *Objectives) Wants(objective Objective) bool {
	for _, w := range o.wanted {
		if w.objective == objective {
			return true
		}
	}
	return false
}

// Counted says whether all that is wanted was counted: what is wanted only now was not yet.
func (o *Objectives) Counted(measured map[Objective]Tally) bool {
	for _, w := range o.wanted {
		if _, counted := measured[w.objective]; !counted {
			return false
		}
	}
	return true
}

func (o Objective) words(amount int64) string {
	if o == Satisfaction {
		return strconv.FormatFloat(float64(amount)/tenthsAPoint, 'f', 1, 64)
	}
	return strconv.FormatInt(amount, 10) + " %"
}

var points = regexp.MustCompile(`^([1-4](\.[0-9])?|5(\.0)?)$`)

// CompileObjectives reads what is wanted; nil for nothing. It refuses what the schema refuses.
func CompileObjectives(spec *yingdav1.ObjectivesSpec) (*Objectives, field.ErrorList) {
	if spec == nil {
		return nil, nil
	}
	r := reader{path: field.NewPath("spec", "objectives")}
	o := &Objectives{
		Window:         r.duration("window", spec.Window, defaultWindow, minWindow, maxWindow),
		AnsweredWithin: r.clock("answeredWithin", spec.AnsweredWithin, 0),
	}
	if (spec.AnsweredWithin == "") != (spec.AnsweredPercent == nil) {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child("answeredWithin"), spec.AnsweredWithin, "belongs to answeredPercent: set both or neither"))
	}
	o.percent(&r, Answered, "answeredPercent", spec.AnsweredPercent)
	o.percent(&r, Resolved, "resolvedPercent", spec.ResolvedPercent)
	if text := spec.Satisfaction; text != "" {
		average, err := strconv.ParseFloat(text, 64)
		if err != nil || !points.MatchString(text) {
			r.wrong = append(r.wrong, field.Invalid(r.path.Child("satisfaction"), text, "must be from 1 to 5 with at most one decimal"))
		}
		o.wanted = append(o.wanted, want{Satisfaction, int64(average*tenthsAPoint + 0.5)})
	}
	o.percent(&r, BotContainment, "botContainmentPercent", spec.BotContainmentPercent)
	if len(o.wanted) == 0 {
		r.wrong = append(r.wrong, field.Required(r.path, "objectives without any measure nothing"))
	}
	return o, r.wrong
}

func (o *Objectives) percent(r *reader, objective Objective, name string, percent *int32) {
	if percent == nil {
		return
	}
	if *percent < 1 || *percent > hundred {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), *percent, "must be from 1 to 100"))
	}
	o.wanted = append(o.wanted, want{objective, int64(*percent)})
}
