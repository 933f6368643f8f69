package controllers_test

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfPlaybooks(t *testing.T) { newAdmission(t).tries(playbookAttempts()) }

func playbookAttempts() map[string]attempt {
	return map[string]attempt{
		"a rule by menu keys alone":              {matching(v1alpha1.PlaybookMatch{MenuKeys: []string{"INVOICE"}}), ""},
		"a rule by menu keys and words":          {matching(v1alpha1.PlaybookMatch{MenuKeys: []string{"INVOICE"}, Keywords: []string{"发票"}}), ""},
		"a rule by nothing":                      {matching(v1alpha1.PlaybookMatch{}), "set keywords, menuKeys or both"},
		"a rule that replies":                    {ruled(&v1alpha1.BotReply{Text: "好"}, nil), ""},
		"a rule that hands off":                  {ruled(nil, &v1alpha1.RuleHandOff{Topic: "complaint"}), ""},
		"a rule that does both":                  {ruled(&v1alpha1.BotReply{Text: "好"}, &v1alpha1.RuleHandOff{Topic: "complaint"}), "set exactly one of reply and handOff"},
		"a rule that does neither":               {ruled(nil, nil), "set exactly one of reply and handOff"},
		"a link by https":                        {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "开发票", URL: "https://lumi.example"}}, nil), ""},
		"a link to the customer's form":          {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "申请售后", URL: "{{.AfterSalesForm}}"}}, nil), ""},
		"a link to a variable that there is not": {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "申请售后", URL: "{{.Form}}"}}, nil), "or be {{.AfterSalesForm}}"},
		"a link by http":                         {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "开发票", URL: "http://lumi.example"}}, nil), "url must start with https://"},
		"a question with its answer":             {answering("return-policy", "after-sales"), ""},
		"a question without a topic":             {answering("return-policy", ""), ""},
		"a question of a complaint":              {answering("return-policy", "complaint"), "a complaint belongs to a human at once: write a rule with handOff instead"},
		"a question with a topic in Chinese":     {answering("return-policy", "售后"), "write topic in lower-case letters, digits and hyphens, for example after-sales"},
		"a question without a name":              {answering("", ""), "spec.faq[0].name"},
		"an intake":                              {taking(v1alpha1.IntakeOrderNumber, v1alpha1.IntakeProblemType), ""},
		"an intake of nothing":                   {taking(), "spec.intake.fields"},
		"an intake of what there is not":         {taking("ShoeSize"), "Unsupported value"},
		"an intake of the same twice":            {taking(v1alpha1.IntakeContact, v1alpha1.IntakeContact), "Duplicate value"},
		"a survey":                               {surveying(v1alpha1.SurveySpec{}), ""},
		"a survey with a reminder":               {surveying(v1alpha1.SurveySpec{Scale: v1alpha1.SurveyThreeLevels, RemindAfter: "47h"}), ""},
		"a scale that there is not":              {surveying(v1alpha1.SurveySpec{Scale: "Smileys"}), "Unsupported value"},
		"a reminder without a unit":              {surveying(v1alpha1.SurveySpec{RemindAfter: "24"}), "write remindAfter in hours, minutes and seconds, for example 24h"},
		"a reminder at once":                     {surveying(v1alpha1.SurveySpec{RemindAfter: "9m"}), "remindAfter must be at least 10m and at most 47h"},
		"a reminder after the window":            {surveying(v1alpha1.SurveySpec{RemindAfter: "48h"}), "remindAfter must be at least 10m and at most 47h"},
		"a topic in Chinese":                     {ruled(nil, &v1alpha1.RuleHandOff{Topic: "投诉"}), "write topic in lower-case letters"},
		"a code of letters and digits":           {canned("fp1"), ""},
		"a code with a space":                    {canned("fp 1"), "write code in letters and digits"},
	}
}

func matching(match v1alpha1.PlaybookMatch) *v1alpha1.Playbook {
	p := ruled(&v1alpha1.BotReply{Text: "好"}, nil)
	p.Spec.Rules[0].Match = match
	return p
}

func ruled(reply *v1alpha1.BotReply, handOff *v1alpha1.RuleHandOff) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Rules = []v1alpha1.PlaybookRule{{Name: "rule", Match: v1alpha1.PlaybookMatch{Keywords: []string{"发票"}}, Reply: reply, HandOff: handOff}}
	return p
}

func answering(name, topic string) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.FAQ = []v1alpha1.FAQEntry{{Name: name, Question: "怎么退货", Answer: "签收七天内……", Topic: topic}}
	return p
}

func taking(fields ...v1alpha1.IntakeField) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Intake = &v1alpha1.IntakeSpec{Fields: append([]v1alpha1.IntakeField{}, fields...)}
	return p
}

func surveying(survey v1alpha1.SurveySpec) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Survey = &survey
	return p
}

func canned(code string) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.CannedReplies = []v1alpha1.CannedReply{{Code: code, Text: "好"}}
	return p
}
