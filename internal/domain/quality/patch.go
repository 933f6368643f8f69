package quality

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// Patch writes the report's proposals as entries of the FAQs of Playbooks, ready for kubectl apply --server-side. A FAQ is a list
// by name, so that entries which somebody else has written stay. Each report has a field manager of its own: one that is used
// again takes back what it gave before.
//
// Only what has an answer is an entry, and one that a Playbook takes. All else is said in comments.
func (r Report) Patch(namespace string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# 候选问答 %s:请逐条核对、修改后再应用,不需要的整条删除。\n", r.Name)
	fmt.Fprintf(&out, "# kubectl apply --server-side --field-manager=yingda-quality-%s -n %s -f <this file>\n", strings.ToLower(r.Name), namespace)
	byPlaybook := map[string][]Topic{}
	for _, topic := range r.Topics {
		if topic.Lacking() {
			byPlaybook[topic.Playbook] = append(byPlaybook[topic.Playbook], topic)
		}
	}
	if len(byPlaybook) == 0 {
		out.WriteString("# 没有候选。\n")
	}
	for _, playbook := range slices.Sorted(maps.Keys(byPlaybook)) {
		r.patch(&out, playbook, byPlaybook[playbook])
	}
	return out.String()
}

func (r Report) patch(out *strings.Builder, playbook string, topics []Topic) {
	var entries, remarks strings.Builder
	for i, topic := range topics {
		told := fmt.Sprintf("%s(会话 %d,解决 %d%%)", oneLine(topic.Question), topic.Conversations, topic.Solved*100/topic.Conversations)
		entry := yingdav1.FAQEntry{Name: fmt.Sprintf("%s-%02d", strings.ToLower(r.Name), i+1), Question: topic.Question, Answer: topic.Answer}
		switch {
		case topic.Known != "":
			fmt.Fprintf(&remarks, "# 已有答案 %s,但解决率低,请检查:%s\n", oneLine(topic.Known), told)
		case topic.Answer == "":
			fmt.Fprintf(&remarks, "# 没有现成的答案,请补充:%s\n", told)
		case !taken(entry):
			fmt.Fprintf(&remarks, "# 问法不适合机器人,请改写:%s\n", told)
		default:
			fmt.Fprintf(&entries, "    # %s;客服在 %d 个会话里这样回答,其中 %d 个客户满意\n", told, topic.Given, topic.Content)
			fmt.Fprintf(&entries, "    - name: %s\n      question: %s\n      answer: %s\n", quoted(entry.Name), quoted(entry.Question), quoted(entry.Answer))
		}
	}
	switch {
	case playbook == "":
		fmt.Fprintf(out, "# 以下渠道没有 Playbook:\n%s", remarks.String()+commented(entries.String()))
	case entries.Len() == 0:
		fmt.Fprintf(out, "# Playbook %s:\n%s", playbook, remarks.String())
	default:
		fmt.Fprintf(out, "---\n%sapiVersion: %s\nkind: Playbook\nmetadata:\n  name: %s\nspec:\n  faq:\n%s",
			remarks.String(), yingdav1.GroupVersion(), quoted(playbook), entries.String())
	}
}

// taken says whether a Playbook takes the entry.
func taken(entry yingdav1.FAQEntry) bool {
	_, err := bot.Compile(yingdav1.PlaybookSpec{FAQ: []yingdav1.FAQEntry{entry}})
	return err == nil
}

// quoted is a text as YAML reads it, whatever is in it.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteRune('\\')
			out.WriteRune(r)
		case unicode.IsGraphic(r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, `\U%08X`, r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// oneLine keeps what customers wrote inside of a comment.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
}

func commented(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString("#" + line)
	}
	return out.String()
}
