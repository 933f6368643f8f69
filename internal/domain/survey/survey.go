// Package survey is how customers say how they were served: on which scale they are asked, and which texts are ratings.
//
// Only a text that is nothing but a rating is one. Whoever writes more says something that a human should read, and is heard
// like everybody else.
package survey

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

const (
	// OpenFor is for how long after the question a rating is taken for one.
	OpenFor = 72 * time.Hour
	// LeftToAgents is how many messages a question leaves of those that the platform lets through: who served the customer may
	// have to come back to them.
	LeftToAgents = 1
	// The schema's bounds of remindAfter: a reminder has to come in the window of the customer's last message.
	minRemindAfter, maxRemindAfter = 10 * time.Minute, 47 * time.Hour
)

// Survey is a compiled spec.
type Survey struct {
	Scale yingdav1.SurveyScale
	// RemindAfter is zero where nobody is reminded.
	RemindAfter time.Duration
}

// Validate lists what is wrong with a spec; nil asks nobody.
func Validate(spec *yingdav1.SurveySpec) field.ErrorList {
	_, wrong := compile(spec)
	return wrong
}

// Compile checks a spec and makes it ready for use; nil for nil.
func Compile(spec *yingdav1.SurveySpec) (*Survey, error) {
	s, wrong := compile(spec)
	return s, wrong.ToAggregate()
}

func compile(spec *yingdav1.SurveySpec) (*Survey, field.ErrorList) {
	if spec == nil {
		return nil, nil
	}
	path, s := field.NewPath("spec", "survey"), &Survey{Scale: spec.Scale}
	switch s.Scale {
	case "":
		s.Scale = yingdav1.SurveyFiveStars
	case yingdav1.SurveyFiveStars, yingdav1.SurveyThreeLevels:
	default:
		return nil, field.ErrorList{field.NotSupported(path.Child("scale"), s.Scale, []yingdav1.SurveyScale{yingdav1.SurveyFiveStars, yingdav1.SurveyThreeLevels})}
	}
	if spec.RemindAfter == "" {
		return s, nil
	}
	after, err := duration.Parse(spec.RemindAfter)
	switch {
	case err != nil:
		return nil, field.ErrorList{field.Invalid(path.Child("remindAfter"), spec.RemindAfter, err.Error())}
	case after < minRemindAfter || after > maxRemindAfter:
		return nil, field.ErrorList{field.Invalid(path.Child("remindAfter"), spec.RemindAfter,
			"must be at least 10m and at most 47h")}
	}
	s.RemindAfter = after
	return s, nil
}

// Answers are what a customer may answer, as they are asked for it.
func Answers(scale yingdav1.SurveyScale) string {
	if scale == yingdav1.SurveyThreeLevels {
		return "满意、一般或不满意"
	}
	return "1 到 5 的数字(5 为非常满意)"
}

// Parse reads a rating, the more the better, from a text that is nothing else.
func Parse(scale yingdav1.SurveyScale, text string) (rating int32, is bool) {
	text = strings.Trim(words.Fold(text), " \t\r\n。.!~,、")
	if scale == yingdav1.SurveyThreeLevels {
		return level(text)
	}
	if stars, isStars := strings.CutPrefix(strings.ReplaceAll(text, "\ufe0f", ""), "⭐"); isStars {
		rating := 1 + int32(strings.Count(stars, "⭐")) //nolint:gosec // A text has fewer.
		return rating, rating <= 5 && strings.ReplaceAll(stars, "⭐", "") == ""
	}
	for _, unit := range []string{"分", "颗星", "星"} {
		text = strings.TrimSuffix(text, unit)
	}
	switch text {
	case "1", "一", "非常不满意", "很不满意":
		return 1, true
	case "2", "二", "两", "不满意":
		return 2, true
	case "3", "三", "一般":
		return 3, true
	case "4", "四", "满意":
		return 4, true
	case "5", "五", "非常满意", "很满意":
		return 5, true
	default:
		return 0, false
	}
}

func level(text string) (rating int32, is bool) {
	switch text {
	case "不满意", "非常不满意", "很不满意":
		return 1, true
	case "一般":
		return 2, true
	case "满意", "非常满意", "很满意":
		return 3, true
	default:
		return 0, false
	}
}

// MayBe says whether a text is a rating on some scale. It spares looking for a question that nobody answers.
func MayBe(text string) bool {
	_, stars := Parse(yingdav1.SurveyFiveStars, text)
	return stars // Its answers are those of the other scale, too.
}

// Poor says whether somebody should look at what led to a rating.
func Poor(scale yingdav1.SurveyScale, rating int32) bool {
	if scale == yingdav1.SurveyThreeLevels {
		return rating == 1
	}
	return rating <= 2
}
