package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestKeysOfAMenuThatNoRuleKnowsAreFound(t *testing.T) {
	menu := &yingdav1.Menu{Buttons: []yingdav1.MenuButton{
		{Name: "发票", MenuAction: yingdav1.MenuAction{Key: "INVOICE"}},
		{Name: "官网", MenuAction: yingdav1.MenuAction{URL: "https://lumi.example"}},
		{Name: "更多", Items: []yingdav1.MenuItem{
			{Name: "人工", MenuAction: yingdav1.MenuAction{Key: "HUMAN"}},
			{Name: "关于", MenuAction: yingdav1.MenuAction{Key: "ABOUT"}},
			{Name: "关于我们", MenuAction: yingdav1.MenuAction{Key: "ABOUT"}},
		}},
	}}
	rules := func(keys ...string) yingdav1.PlaybookSpec {
		spec := yingdav1.PlaybookSpec{Rules: []yingdav1.PlaybookRule{{Name: "words", Match: yingdav1.PlaybookMatch{Keywords: []string{"ABOUT"}}}}}
		for _, key := range keys {
			spec.Rules = append(spec.Rules, yingdav1.PlaybookRule{Name: "tap", Match: yingdav1.PlaybookMatch{MenuKeys: []string{key}}})
		}
		return spec
	}
	for name, tt := range map[string]struct {
		spec yingdav1.PlaybookSpec
		menu *yingdav1.Menu
		want []string
	}{
		"all are known":                 {rules("INVOICE", "HUMAN", "ABOUT"), menu, nil},
		"some are not, each once":       {rules("INVOICE"), menu, []string{"ABOUT", "HUMAN"}},
		"keywords are no keys":          {rules(), menu, []string{"ABOUT", "HUMAN", "INVOICE"}},
		"without a menu there are none": {rules(), nil, nil},
	} {
		if diff := cmp.Diff(tt.want, Unanswered(tt.spec, tt.menu)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
