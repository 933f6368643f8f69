package bot

import (
	"slices"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Forms names what of a Playbook leads customers to their own form for after-sales: rule invoice, entry return of the FAQ,
// texts.welcome. It is empty for a Playbook that cannot be compiled.
func Forms(spec yingdav1.PlaybookSpec) []string {
	p, err := Compile(spec)
	if err != nil {
		return nil
	}
	var forms []string
	for _, rule := range p.rules {
		if answer, replies := rule.decision.(Answer); replies && answer.Form {
			forms = append(forms, "rule "+answer.Rule)
		}
	}
	for _, entry := range p.faq.entries {
		if entry.answer.Form {
			forms = append(forms, "entry "+entry.answer.FAQ+" of the FAQ")
		}
	}
	var texts []string
	for name, text := range p.texts.led() {
		if text.form {
			texts = append(texts, "texts."+name)
		}
	}
	slices.Sort(texts)
	return append(forms, texts...)
}
