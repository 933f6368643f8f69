package survey

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestOnlyWhatIsNothingButARatingIsOne(t *testing.T) {
	t.Parallel()
	const five, three = yingdav1.SurveyFiveStars, yingdav1.SurveyThreeLevels
	type rating struct {
		Of int32
		Is bool
	}
	none := rating{}
	for name, tc := range map[string]struct {
		scale yingdav1.SurveyScale
		text  string
		want  rating
	}{
		"a number":                       {five, "5", rating{5, true}},
		"a full-width number":            {five, "４。", rating{4, true}},
		"with a unit":                    {five, "1分", rating{1, true}},
		"stars in words":                 {five, " 五颗星! ", rating{5, true}},
		"stars as they are":              {five, "⭐⭐⭐", rating{3, true}},
		"stars of another font":          {five, "⭐️⭐️", rating{2, true}},
		"six stars":                      {five, "⭐⭐⭐⭐⭐⭐", rating{6, false}},
		"in words":                       {five, "非常满意", rating{5, true}},
		"no rating":                      {five, "0", none},
		"beyond the scale":               {five, "6", none},
		"two numbers":                    {five, "55", none},
		"a number and a complaint":       {five, "1,东西坏了", none},
		"how many minutes":               {five, "5分钟了还没人", none},
		"how many pieces":                {five, "3件什么时候发货", none},
		"nothing":                        {five, "", none},
		"satisfied":                      {three, "满意", rating{3, true}},
		"in between":                     {three, "一般。", rating{2, true}},
		"dissatisfied":                   {three, "不满意", rating{1, true}},
		"a number has no level":          {three, "3", none},
		"dissatisfied with what":         {three, "对物流不满意", none},
		"a sentence with a level in it":  {three, "一般几天到", none},
		"very much so, on another scale": {three, "很满意", rating{3, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got rating
			if got.Of, got.Is = Parse(tc.scale, tc.text); got != tc.want {
				t.Errorf("%q is %+v, want %+v", tc.text, got, tc.want)
			}
			if got.Is && !MayBe(tc.text) {
				t.Errorf("%q may be no rating", tc.text)
			}
		})
	}
}

func TestPoorIsWhatSomebodyShouldLookAt(t *testing.T) {
	t.Parallel()
	want := map[yingdav1.SurveyScale][]bool{yingdav1.SurveyFiveStars: {true, true, false, false, false}, yingdav1.SurveyThreeLevels: {true, false, false}}
	for scale, ratings := range want {
		for i, poor := range ratings {
			if got := Poor(scale, int32(i+1)); got != poor {
				t.Errorf("%d of %s is poor: %t, want %t", i+1, scale, got, poor)
			}
		}
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec *yingdav1.SurveySpec
		want *Survey
		err  string
	}{
		"none":                      {nil, nil, ""},
		"as it is without a word":   {&yingdav1.SurveySpec{}, &Survey{Scale: yingdav1.SurveyFiveStars}, ""},
		"with a reminder":           {&yingdav1.SurveySpec{Scale: yingdav1.SurveyThreeLevels, RemindAfter: "24h"}, &Survey{yingdav1.SurveyThreeLevels, 24 * time.Hour}, ""},
		"a scale that there is not": {&yingdav1.SurveySpec{Scale: "Smileys"}, nil, `spec.survey.scale: Unsupported value: "Smileys": supported values: "FiveStars", "ThreeLevels"`},
		"a reminder of no time":     {&yingdav1.SurveySpec{RemindAfter: "soon"}, nil, `spec.survey.remindAfter: Invalid value: "soon": write whole hours, minutes and seconds, for example 1h30m`},
		"a reminder at once":        {&yingdav1.SurveySpec{RemindAfter: "9m"}, nil, `spec.survey.remindAfter: Invalid value: "9m": must be at least 10m and at most 47h`},
		"a reminder after all":      {&yingdav1.SurveySpec{RemindAfter: "48h"}, nil, `spec.survey.remindAfter: Invalid value: "48h": must be at least 10m and at most 47h`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Compile(tc.spec)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Compile (-want +got):\n%s", diff)
			}
			if (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
				t.Errorf("err %v, want %s", err, tc.err)
			}
		})
	}
}
