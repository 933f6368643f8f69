package bot

import (
	"math/rand/v2"
	"testing"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// TestNoPlaybookKeepsACustomerFromAHuman is the promise in whole: whatever a Playbook says, as long as it can be used at all,
// who asks for a human is handed over, at the first time and at each one after, in a sentence and alone.
func TestNoPlaybookKeepsACustomerFromAHuman(t *testing.T) {
	t.Parallel()
	const playbooks = 20_000
	random := rand.New(rand.NewPCG(8, 10)) // the same Playbooks in every run
	valid := 0
	for range playbooks {
		spec := randomPlaybook(random)
		p, err := Compile(spec)
		if err != nil {
			continue
		}
		valid++
		requests := append([]string{"人工客服", "转人工", "人工", "要找人工"}, spec.HandOff.Phrases...)
		for _, entry := range spec.FAQ {
			requests = append(requests, entry.Question+"人工") // What is meant is known, and a human is wanted all the same.
		}
		for _, request := range requests {
			text := word(random, 4) + request + word(random, 4)
			for range 2 {
				if got, handsOver := p.Decide(text).(HandOff); !handsOver || !got.Explicit {
					t.Fatalf("%q asks for a human (%q), but gets %+v of %+v", text, request, p.Decide(text), spec)
				}
			}
		}
	}
	// Refused Playbooks keep nobody from anything; enough have to be left.
	if valid < playbooks/10 {
		t.Errorf("only %d of %d Playbooks can be used", valid, playbooks)
	}
}

// randomPlaybook is made of few characters, so that keywords, phrases and texts hold one another often.
func randomPlaybook(random *rand.Rand) yingdav1.PlaybookSpec {
	var spec yingdav1.PlaybookSpec
	for i := range random.IntN(5) {
		var keywords []string
		for range 1 + random.IntN(3) {
			keywords = append(keywords, word(random, 3)+"服")
		}
		name := string(rune('a' + i))
		if random.IntN(4) == 0 {
			spec.Rules = append(spec.Rules, handOffRule(name, "topic", keywords...))
		} else {
			spec.Rules = append(spec.Rules, replyRule(name, "请先回答三个问题", keywords...))
		}
	}
	for i := range random.IntN(4) {
		spec.FAQ = append(spec.FAQ, yingdav1.FAQEntry{
			Name: string(rune('a' + i)), Question: word(random, 4) + "服" + word(random, 4), Answer: "请先回答三个问题",
		})
	}
	for range random.IntN(3) {
		spec.HandOff.Phrases = append(spec.HandOff.Phrases, word(random, 2)+"要")
	}
	return spec
}

func word(random *rand.Rand, most int) string {
	alphabet := []rune("人工转客服要找我 aＡ")
	var text []rune
	for range random.IntN(most + 1) {
		text = append(text, alphabet[random.IntN(len(alphabet))])
	}
	return string(text)
}
