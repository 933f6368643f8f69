package servicelevel

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// The defaults and bounds of the clocks in the resource's schema.
const (
	defaultReplyTarget      = 15 * time.Second
	defaultReplyWarnAfter   = 20 * time.Second
	defaultReplyReviewAfter = 5 * time.Minute

	defaultFirstResponseTarget = time.Minute
	defaultFirstResponseLimit  = 3 * time.Minute

	defaultCommon  = 5 * time.Minute
	defaultGeneral = 15 * time.Minute
	defaultComplex = 30 * time.Minute

	minClock, maxClock = time.Second, 24 * time.Hour
)

// Clocks are the promises that run in seconds and minutes, in a form to work with.
type Clocks struct {
	FirstResponse FirstResponse
	Reply         Reply
	Resolution    Resolution
}

// FirstResponse is how soon a customer who wants a human hears from one.
type FirstResponse struct {
	Target, Limit time.Duration
}

// Reply is how quickly agents answer what customers write to them.
type Reply struct {
	Target, WarnAfter, ReviewAfter time.Duration
}

// Resolution is how soon what customers ask is solved.
type Resolution struct {
	within map[yingdav1.ResolutionClass]time.Duration
	topics map[string]yingdav1.ResolutionClass
}

// Class is how hard a topic is.
func (r Resolution) Class(topic string) yingdav1.ResolutionClass {
	return cmp.Or(r.topics[topic], yingdav1.ResolutionGeneral)
}

// Within is how soon what is about a topic is solved.
func (r Resolution) Within(topic string) time.Duration { return r.within[r.Class(topic)] }

func (r *reader) resolution(spec yingdav1.ResolutionSpec) Resolution {
	out := Resolution{
		within: map[yingdav1.ResolutionClass]time.Duration{
			yingdav1.ResolutionCommon:  r.clock("common", spec.Common, defaultCommon),
			yingdav1.ResolutionGeneral: r.clock("general", spec.General, defaultGeneral),
			yingdav1.ResolutionComplex: r.clock("complex", spec.Complex, defaultComplex),
		},
		topics: map[string]yingdav1.ResolutionClass{},
	}
	r.rise("common", out.within[yingdav1.ResolutionCommon], "general", out.within[yingdav1.ResolutionGeneral])
	r.rise("general", out.within[yingdav1.ResolutionGeneral], "complex", out.within[yingdav1.ResolutionComplex])
	for i, topic := range spec.Topics {
		at := r.path.Child("topics").Index(i)
		if _, known := out.within[topic.Class]; !known {
			r.wrong = append(r.wrong, field.NotSupported(at.Child("class"), topic.Class,
				[]yingdav1.ResolutionClass{yingdav1.ResolutionCommon, yingdav1.ResolutionGeneral, yingdav1.ResolutionComplex}))
		}
		if _, twice := out.topics[topic.Name]; twice {
			r.wrong = append(r.wrong, field.Duplicate(at.Child("name"), topic.Name))
		}
		out.topics[topic.Name] = topic.Class
	}
	return out
}

// CompileClocks reads the promises that run in seconds and minutes; of a spec without the schema's defaults it takes these. It
// refuses what the schema refuses.
func CompileClocks(spec yingdav1.ServiceLevelSpec) (Clocks, field.ErrorList) {
	first := reader{path: field.NewPath("spec", "firstResponse")}
	reply := reader{path: field.NewPath("spec", "reply")}
	resolution := reader{path: field.NewPath("spec", "resolution")}
	clocks := Clocks{
		FirstResponse: FirstResponse{
			Target: first.clock("target", spec.FirstResponse.Target, defaultFirstResponseTarget),
			Limit:  first.clock("limit", spec.FirstResponse.Limit, defaultFirstResponseLimit),
		},
		Reply: Reply{
			Target:      reply.clock("target", spec.Reply.Target, defaultReplyTarget),
			WarnAfter:   reply.clock("warnAfter", spec.Reply.WarnAfter, defaultReplyWarnAfter),
			ReviewAfter: reply.clock("reviewAfter", spec.Reply.ReviewAfter, defaultReplyReviewAfter),
		},
		Resolution: resolution.resolution(spec.Resolution),
	}
	first.rise("target", clocks.FirstResponse.Target, "limit", clocks.FirstResponse.Limit)
	reply.rise("target", clocks.Reply.Target, "warnAfter", clocks.Reply.WarnAfter)
	reply.rise("warnAfter", clocks.Reply.WarnAfter, "reviewAfter", clocks.Reply.ReviewAfter)
	return clocks, slices.Concat(first.wrong, reply.wrong, resolution.wrong)
}

// reader collects what is wrong with a part of a spec that it reads.
type reader struct {
	path  *field.Path
	wrong field.ErrorList
}

func (r *reader) clock(name, text string, otherwise time.Duration) time.Duration {
	return r.duration(name, text, otherwise, minClock, maxClock)
}

// duration reads one inside bounds.
func (r *reader) duration(name, text string, otherwise, shortest, longest time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	d, err := between(text, shortest, longest)
	if err != nil {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(name), text, err.Error()))
	}
	return d
}

// rise wants the second not to be shorter than the first, of two that could be read.
func (r *reader) rise(first string, a time.Duration, second string, b time.Duration) {
	if a > b && b > 0 {
		r.wrong = append(r.wrong, field.Invalid(r.path.Child(first), short(a), fmt.Sprintf("must not be longer than %s, which is %s", second, short(b))))
	}
}
