// Package scaling says how many replicas a workload of a Brand must have at a moment: those that always run, and from a lead
// before each peak of the Brand's schedules until its end those that a peak wants.
//
// The package sets the floor alone. How far load drives a workload beyond it is up to an autoscaler, which is told the floor
// (a HorizontalPodAutoscaler) or the spans in which it is lifted (KEDA). It is pure and reads no clock.
//
// Invariants:
//   - The floor is lifted in exactly the spans from a lead before a peak to its end, whichever of the schedules has the peak.
//   - Between t and Plan.Next the floor and its reason are constant.
//   - Plan.Lifts stay the same all through a day of UTC, so that what is rendered from them changes once a day.
package scaling

import (
	"fmt"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
)

// ReasonAlways is why a workload has as many replicas as it has where neither peaks nor load change that.
const ReasonAlways = "as many as always run"

// DefaultLead is how long before a peak its replicas are started where nothing else is said.
const DefaultLead = 10 * time.Minute

// Spec is how many replicas a workload may have.
type Spec struct {
	// Min always run.
	Min int32
	// Peak run at least for a peak; never less than Min.
	Peak int32
	// Max is how far an autoscaler may go, never less than Peak; 0 for no autoscaler.
	Max int32
	// Lead is how long before a peak its replicas are started.
	Lead time.Duration
	// Limit is the number of replicas beyond which more have nothing to do, where it cut the others; else 0.
	Limit int32
}

// Fixed always runs as many.
func Fixed(replicas int32) Spec { return Spec{Min: replicas, Peak: replicas} }

// Of reads what is declared; nil declares nothing beyond those that always run.
func Of(always int32, declared *yingdav1.PeakScaling) Spec {
	spec := Fixed(max(always, 1))
	if declared == nil {
		return spec
	}
	spec.Lead = DefaultLead
	if lead, err := duration.Parse(declared.LeadTime); err == nil {
		spec.Lead = lead
	}
	if declared.MaxReplicas != nil {
		spec.Max = max(*declared.MaxReplicas, spec.Min)
		spec.Peak = max(spec.Min, (spec.Max+1)/2)
	}
	if declared.PeakReplicas != nil {
		spec.Peak = max(spec.Min, *declared.PeakReplicas)
	}
	if spec.Autoscaled() {
		spec.Max = max(spec.Max, spec.Peak)
	}
	return spec
}

// Autoscaled says whether an autoscaler has the number of replicas.
func (s Spec) Autoscaled() bool { return s.Max > 0 }

// LiftedForPeaks says whether peaks change anything.
func (s Spec) LiftedForPeaks() bool { return s.Peak > s.Min }

// Most is how many replicas there may ever be.
func (s Spec) Most() int32 { return max(s.Min, s.Peak, s.Max) }

// And is what serves both: the larger of each number. Where only one of them has an autoscaler or is lifted for peaks, so is
// the whole.
func (s Spec) And(other Spec) Spec {
	lead := max(s.Lead, other.Lead)
	switch {
	case !s.LiftedForPeaks():
		lead = other.Lead
	case !other.LiftedForPeaks():
		lead = s.Lead
	}
	both := Spec{Min: max(s.Min, other.Min), Peak: max(s.Peak, other.Peak), Lead: lead}
	if s.Autoscaled() || other.Autoscaled() {
		both.Max = max(s.Max, other.Max, both.Peak)
	}
	return both
}

// Within is the spec with no number beyond the limit, 0 for none.
func (s Spec) Within(limit int32) Spec {
	if limit == 0 {
		return s
	}
	if max(s.Peak, s.Max) > limit {
		s.Limit = limit
	}
	s.Min, s.Peak, s.Max = min(s.Min, limit), min(s.Peak, limit), min(s.Max, limit)
	return s
}

// Plan is how many replicas a workload must have, now and in the days ahead.
type Plan struct {
	Spec
	// Floor is how many must run now.
	Floor int32
	// Reason says why, to people.
	Reason string
	// Next is when to look again: the floor changes, or the days ahead are others. Zero for never.
	Next time.Time
	// Lifts are the spans in which the floor is lifted, in order and without overlaps, of today and the week after it.
	Lifts []Span
}

// Wake is how long to wait from t: until Next, or the other time where that is sooner. 0 is for ever.
func (p Plan) Wake(t time.Time, other time.Duration) time.Duration {
	if p.Next.IsZero() {
		return other
	}
	wait := max(p.Next.Sub(t), time.Millisecond)
	if other == 0 {
		return wait
	}
	return min(wait, other)
}

// Span is the time from Start until before End.
type Span struct{ Start, End time.Time }

const (
	day = 24 * time.Hour
	// Ahead is how far a plan looks: today, in UTC, and a week.
	Ahead = 8 * day
)

// Make plans at t for the peaks of the sources.
func Make(spec Spec, sources []Source, t time.Time) Plan {
	plan := Plan{Spec: spec, Floor: spec.Min, Reason: ReasonAlways}
	if spec.LiftedForPeaks() {
		plan.ahead(sources, t)
	}
	if spec.Limit > 0 {
		plan.Reason += fmt.Sprintf("; no more than the %d partitions", spec.Limit)
	}
	return plan
}

func (p *Plan) ahead(sources []Source, t time.Time) {
	today := t.UTC().Truncate(day)
	p.Next = today.Add(day)
	p.Reason = "no peak in the week ahead"
	lifts := liftsOf(sources, p.Lead, today, today.Add(Ahead))
	for _, l := range lifts {
		for _, at := range []time.Time{l.Start, l.End} {
			if at.After(t) && at.Before(p.Next) {
				p.Next = at
			}
		}
	}
	for _, l := range lifts {
		if !l.End.After(t) {
			continue
		}
		if l.Start.After(t) {
			p.Reason = fmt.Sprintf("no peak; %d from %s for %s", p.Peak, l.local(l.Start), l.name)
		} else {
			p.Floor = p.Peak
			p.Reason = fmt.Sprintf("peak %s until %s", l.name, l.local(l.End))
		}
		break
	}
	p.Lifts = merged(lifts)
}
