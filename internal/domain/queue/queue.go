// Package queue decides who is next, when a queue is too long, and how long it takes.
//
// It is pure: it holds no queue and no clock. The order of a queue is that of one time a conversation, its key, which is
// made when the conversation is queued and never changes while it waits: points of priority are a head start, so that
// waiting makes up for them at the rate of the group's ageing, and an index has the queue in order.
package queue

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
)

// The defaults and bounds of the resource's schema.
const (
	defaultAlertLength = 5
	defaultMaxLength   = 200
	defaultAgeing      = 10
	maxAgeing          = 1000
	minAfter, maxAfter = 10 * time.Second, 24 * time.Hour
)

const (
	// Slow is how long somebody waits before a queue is too slow: after 5 minutes without an answer four of five give up.
	Slow = 5 * time.Minute
	// MeasuredOver is how far back it is looked how quickly conversations were taken.
	MeasuredOver = 30 * time.Minute
	// maxPoints are what 32 rules of 1000 points add up to.
	maxPoints = 32_000
	// ageless is what a point is worth without ageing: the most for which the head start of all points is a duration.
	ageless = 72 * time.Hour
	// fewest is how many conversations must have been taken for an estimate.
	fewest = 3
)

// Rules are what a SkillGroup declares of its queue.
type Rules struct {
	AlertLength, MaxLength int
	// To is the group that conversations overflow to; empty for none.
	To string
	// After is the wait after which they do; zero for never.
	After time.Duration
	// point is the head start of one point of priority.
	point time.Duration
}

// Compile reads the queue of a group.
func Compile(spec yingdav1.SkillGroupSpec) (Rules, error) {
	rules, mistakes := read(spec)
	if err := mistakes.ToAggregate(); err != nil {
		return Rules{}, fmt.Errorf("reading the queue: %w", err)
	}
	return rules, nil
}

// Validate says what is wrong with the queue of a group.
func Validate(spec yingdav1.SkillGroupSpec) field.ErrorList {
	_, mistakes := read(spec)
	return mistakes
}

func read(spec yingdav1.SkillGroupSpec) (rules Rules, mistakes field.ErrorList) {
	rules = Rules{
		AlertLength: int(or(spec.Queue.AlertLength, defaultAlertLength)),
		MaxLength:   int(or(spec.Queue.MaxLength, defaultMaxLength)),
		point:       ageless,
	}
	ageing := or(spec.PriorityAgeing, defaultAgeing)
	switch {
	case ageing < 0 || ageing > maxAgeing:
		mistakes = append(mistakes, field.Invalid(field.NewPath("spec", "priorityAgeing"), ageing, fmt.Sprintf("must be between 0 and %d", maxAgeing)))
	case ageing > 0:
		rules.point = time.Minute / time.Duration(ageing)
	}
	overflow := spec.Queue.Overflow
	if overflow == nil {
		return rules, mistakes
	}
	rules.To = overflow.ToRef.Name
	if overflow.After == "" {
		return rules, mistakes
	}
	path := field.NewPath("spec", "queue", "overflow", "after")
	after, err := duration.Parse(overflow.After)
	switch {
	case err != nil:
		mistakes = append(mistakes, field.Invalid(path, overflow.After, err.Error()))
	case after < minAfter || after > maxAfter:
		mistakes = append(mistakes, field.Invalid(path, overflow.After, fmt.Sprintf("must be between %s and %s", minAfter, maxAfter)))
	}
	rules.After = after
	return rules, mistakes
}

func or(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}
	return *value
}

// HeadStart is by how much longer somebody must have waited without points to come before somebody with them.
func (r Rules) HeadStart(points int32) time.Duration {
	return time.Duration(max(0, min(points, maxPoints))) * r.point
}

// Key is what queues are ordered by: the time at which somebody without points would have come to stand at the same place.
func (r Rules) Key(since time.Time, points int32) time.Time { return since.Add(-r.HeadStart(points)) }

// Point is the head start of one point of priority.
func (r Rules) Point() time.Duration { return r.point }

// Health is how a queue does.
type Health struct {
	// Long says that more wait than the alert length, Slow that somebody has waited for too long.
	Long, Slow bool
}

// Alert says whether somebody has to know.
func (h Health) Alert() bool { return h.Long || h.Slow }

// Health is how a queue does in which that many wait, the first of them since oldest.
func (r Rules) Health(waiting int, oldest, now time.Time) Health {
	return Health{Long: waiting > r.AlertLength, Slow: waiting > 0 && !oldest.IsZero() && now.Sub(oldest) > Slow}
}

// ExpectedWait is how long it takes until somebody is served who has that many before them, when since a time that many
// conversations were taken, in words; an estimate without figures would be a guess, and is not made.
func ExpectedWait(ahead, taken int, since, now time.Time) string {
	span := now.Sub(since)
	if taken < fewest || span <= 0 {
		return "暂时无法估计"
	}
	each := span / time.Duration(taken)
	minutes := int(math.Ceil((time.Duration(ahead+1) * each).Minutes()))
	switch {
	case minutes <= 1:
		return "不到 1 分钟"
	case minutes > 60:
		return "1 小时以上"
	case minutes > 10:
		minutes = (minutes + 4) / 5 * 5 // Nobody can promise a minute of so many.
	}
	return fmt.Sprintf("约 %d 分钟", minutes)
}
