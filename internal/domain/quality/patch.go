package quality

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// Patch writes the report's proposals as entries of the FAQs of Playbooks, ready for kubectl apply --server-side: first those of questions too
// few of which were solved, then what is asked often and unknown to the Playbook. A FAQ is a list by name, so that entries which somebody
// else has written stay; one whose answer is outdone is written under its own name, and gets the new answer. Each report has a field manager
// of its own: one that is used again takes back what it gave before.
//
// Only what has an answer is an entry, and one that a Playbook takes. All else is said in comments.
func (r Report) Patch(namespace string) string {
	byPlaybook := map[string][]Topic{}
	for _, topic := range r.Topics {
		if topic.Lacking() {
			byPlaybook[topic.Playbook] = append(byPlaybook[topic.Playbook], topic)
		}
	}
	var out strings.Builder
	option, remark := "", ""
	for _, playbook := range slices.Sorted(maps.Keys(byPlaybook)) {
		proposed := r.propose(byPlaybook[playbook])
		proposed.write(&out, playbook)
		if proposed.replaces && playbook != "" {
			option, remark = byForce, whyByForce
		}
	}
	if out.Len() == 0 {
		out.WriteString("# 没有候选。\n")
	}
	return fmt.Sprintf("# 候选问答 %s:请逐条核对、修改后再应用,不需要的整条删除。\n# kubectl apply --server-side%s --field-manager=yingda-quality-%s -n %s -f <this file>\n%s%s",
		r.Name, option, strings.ToLower(r.Name), namespace, remark, out.String())
}

// An answer that another field manager owns is replaced by force alone.
const (
	byForce    = " --force-conflicts"
	whyByForce = "# --force-conflicts 是为了替换已有的答案:只影响下面写着“替换”的条目。这些条目另有文件管理的,请在那里同样修改,否则会被改回。\n"
)

// proposal is what one Playbook lacks.
type proposal struct {
	// remarks are of what is no entry; unsolved and frequent are entries.
	remarks, unsolved, frequent strings.Builder
	// replaces says that one of the entries is there already.
	replaces bool
}

func (r Report) propose(topics []Topic) *proposal {
	p := &proposal{}
	slices.SortStableFunc(topics, func(a, b Topic) int { return cmp.Compare(urgency(a), urgency(b)) })
	names := map[string]bool{}
	for i, topic := range topics {
		told := fmt.Sprintf("%s(会话 %d,解决 %d%%)", oneLine(topic.Question), topic.Conversations, topic.Solved*100/topic.Conversations)
		entry, known := yingdav1.FAQEntry{Name: fmt.Sprintf("%s-%02d", strings.ToLower(r.Name), i+1), Question: topic.Question, Answer: topic.Answer}, ""
		if topic.Known != "" {
			entry.Name, entry.Question, known = topic.Known, topic.KnownQuestion, "替换已有答案 "+oneLine(topic.Known)+":"
		}
		switch {
		// An entry is replaced once: of two questions that it answers, by what the more frequent one is answered.
		case topic.Known != "" && (!topic.outdone() || names[entry.Name] || !taken(entry)):
			fmt.Fprintf(&p.remarks, "# 已有答案 %s,但解决率低,请检查:%s\n", oneLine(topic.Known), told)
		case topic.Answer == "":
			fmt.Fprintf(&p.remarks, "# 没有现成的答案,请补充:%s\n", told)
		case !taken(entry):
			fmt.Fprintf(&p.remarks, "# 问法不适合机器人,请改写:%s\n", told)
		default:
			names[entry.Name] = true
			p.replaces = p.replaces || topic.Known != ""
			entries := &p.frequent
			if topic.Unsolved() {
				entries = &p.unsolved
			}
			fmt.Fprintf(entries, "    # %s%s;客服在 %d 个会话里这样回答,其中 %d 个客户满意\n", known, told, topic.Given, topic.Content)
			fmt.Fprintf(entries, "    - name: %s\n      question: %s\n      answer: %s\n", quoted(entry.Name), quoted(entry.Question), quoted(entry.Answer))
		}
	}
	return p
}

// urgency is 0 for what comes first.
func urgency(t Topic) int {
	if t.Unsolved() {
		return 0
	}
	return 1
}

func (p *proposal) write(out *strings.Builder, playbook string) {
	var entries strings.Builder
	if p.unsolved.Len() > 0 {
		fmt.Fprintf(&entries, "    # 一、解决率低于 %d%%,请优先处理\n%s", solvedEnough, p.unsolved.String())
	}
	if p.frequent.Len() > 0 {
		fmt.Fprintf(&entries, "    # 二、常见而机器人不会的问题,客服已能解决\n%s", p.frequent.String())
	}
	switch {
	case playbook == "":
		fmt.Fprintf(out, "# 以下渠道没有 Playbook:\n%s", p.remarks.String()+commented(entries.String()))
	case entries.Len() == 0:
		fmt.Fprintf(out, "# Playbook %s:\n%s", playbook, p.remarks.String())
	default:
		fmt.Fprintf(out, "---\n%sapiVersion: %s\nkind: Playbook\nmetadata:\n  name: %s\nspec:\n  faq:\n%s",
			p.remarks.String(), yingdav1.GroupVersion(), quoted(playbook), entries.String())
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
