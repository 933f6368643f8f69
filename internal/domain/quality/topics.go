package quality

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/privacy"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

const (
	// topOfType is how many topics of each type are kept, the most frequent.
	topOfType = 20
	// mostTopics are told apart; what is rarer than so many others is nobody's frequent question.
	mostTopics = 2000
	// fewestCustomers have to ask the same before it is shown: what fewer ask may say who they are.
	fewestCustomers = 3
	// fewestGiven is in how many conversations an answer must have been given.
	fewestGiven = 2
	// solvedEnough is what share of a topic's conversations is to be solved, in percent (row BT31).
	solvedEnough = 80
	// The schema's bounds of a FAQ entry.
	maxQuestion, maxAnswer = 64, 600
	// shortestAnswer tells an answer from 好的 and 在的.
	shortestAnswer = 6
)

// Talk is a conversation as far as its topic is looked at. Its texts are masked.
type Talk struct {
	Playbook string
	// Type is the topic by which routing knew it; may be empty.
	Type     string
	Customer uuid.UUID
	// Asked are the customer's first words, Said the agents'.
	Asked, Said []string
	// Solved says that the customer neither came back, nor complained, nor rated it poorly.
	Solved bool
	// Rated says that the customer rated it, Good that they did well, Poor that they did poorly.
	Rated, Good, Poor bool
}

// Topic is a question that customers ask, in whatever words.
type Topic struct {
	// Question in the words of most.
	Question string `json:"question"`
	Type     string `json:"type,omitempty"`
	Playbook string `json:"playbook,omitempty"`
	// Known is the entry or the rule of the Playbook that answers it; empty for none. KnownQuestion is what the entry asks, empty for a rule.
	Known         string `json:"known,omitempty"`
	KnownQuestion string `json:"knownQuestion,omitempty"`
	Conversations int    `json:"conversations"`
	Customers     int    `json:"customers"`
	Solved        int    `json:"solved"`
	// Answer is what agents answered where customers were content; empty where they did not say the same twice.
	Answer string `json:"answer,omitempty"`
	// Given is in how many of the topic's conversations, Content in how many of those the customer was content.
	Given   int `json:"given,omitempty"`
	Content int `json:"content,omitempty"`
}

// Lacking says whether something is to be done about it: the Playbook does not know it, or too few of its conversations were solved.
func (t Topic) Lacking() bool { return t.Known == "" || t.Unsolved() }

// Unsolved says whether too few of its conversations were solved.
func (t Topic) Unsolved() bool { return t.Solved*100 < t.Conversations*solvedEnough }

// outdone says whether what agents answered did better than the FAQ's entry: of their conversations a greater share was content than
// was solved of all. Only such an answer may take the place of another.
func (t Topic) outdone() bool {
	return t.KnownQuestion != "" && t.Answer != "" && t.Content*t.Conversations > t.Solved*t.Given
}

// Known names the entry or the rule of a Playbook that answers a question, with what the entry asks; empty for none.
type Known func(playbook, question string) (name, asks string)

// Topics finds what customers asked, the most frequent first.
func Topics(talks []Talk, known Known) []Topic {
	byPlaybook, reader := map[string][]asked{}, bot.NewQuestions()
	for i := range talks {
		if text, form := firstQuestion(reader, talks[i].Asked); form != "" {
			byPlaybook[talks[i].Playbook] = append(byPlaybook[talks[i].Playbook], asked{&talks[i], text, form})
		}
	}
	given := givenIn(talks)
	var topics []Topic
	for _, playbook := range slices.Sorted(maps.Keys(byPlaybook)) {
		for _, cluster := range clusters(byPlaybook[playbook]) {
			topic := describe(cluster, given)
			if topic.Customers < fewestCustomers {
				continue
			}
			topic.Playbook = playbook
			topic.Known, topic.KnownQuestion = known(playbook, topic.Question)
			topics = append(topics, topic)
		}
	}
	slices.SortStableFunc(topics, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(b.Conversations, a.Conversations), cmp.Compare(a.Question, b.Question))
	})
	return topOfEachType(topics)
}

func topOfEachType(topics []Topic) []Topic {
	type kind struct{ playbook, of string }
	seen := map[kind]int{}
	return slices.DeleteFunc(topics, func(t Topic) bool {
		seen[kind{t.Playbook, t.Type}]++
		return seen[kind{t.Playbook, t.Type}] > topOfType
	})
}

// asked is a conversation with what it asks first.
type asked struct {
	talk       *Talk
	text, form string
}

// firstQuestion is the first of the customer's words that ask something.
func firstQuestion(reader *bot.Questions, texts []string) (text, form string) {
	for _, text := range texts {
		text = strings.TrimSpace(privacy.Replace(text, "")) // With them or without, it is the same question.
		if form := reader.Form(text); form != "" {
			return text, form
		}
	}
	return "", ""
}

// clusters are the conversations that ask the same. The most frequent forms come first, and each joins the question of those
// before that it is most like, if it is like one.
func clusters(all []asked) [][]asked {
	byForm := map[string][]asked{}
	for _, a := range all {
		byForm[a.form] = append(byForm[a.form], a)
	}
	forms := slices.SortedFunc(maps.Keys(byForm), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(byForm[b]), len(byForm[a])), cmp.Compare(a, b))
	})
	questions := bot.NewQuestions()
	var found [][]asked
	for _, form := range forms {
		text := byForm[form][0].text
		if number, same := questions.Find(text); same {
			found[number] = append(found[number], byForm[form]...)
		} else if len(found) < mostTopics {
			questions.Add(text)
			found = append(found, byForm[form])
		}
	}
	return found
}

// describe counts what became of a topic's conversations.
func describe(cluster []asked, given map[string]int) Topic {
	topic := Topic{Conversations: len(cluster)}
	customers, texts, types := map[uuid.UUID]bool{}, map[string]int{}, map[string]int{}
	for _, a := range cluster {
		customers[a.talk.Customer] = true
		types[a.talk.Type]++
		if n := utf8.RuneCountInString(a.text); n <= maxQuestion {
			texts[a.text]++
		}
		if a.talk.Solved {
			topic.Solved++
		}
	}
	topic.Customers, topic.Question, topic.Type = len(customers), mostFrequent(texts), mostFrequent(types)
	topic.Answer, topic.Given, topic.Content = bestAnswer(cluster, given)
	return topic
}

// mostFrequent is the text that is counted most; of several the shortest, and of these the first by its characters.
func mostFrequent(texts map[string]int) string {
	if len(texts) == 0 {
		return ""
	}
	return slices.MinFunc(slices.Collect(maps.Keys(texts)), func(a, b string) int {
		return cmp.Or(cmp.Compare(texts[b], texts[a]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// answers are what agents said that may answer something, each once.
func answers(t *Talk) []string {
	var found []string
	for _, said := range t.Said {
		said = strings.TrimSpace(said)
		if n := utf8.RuneCountInString(said); n >= shortestAnswer && n <= maxAnswer && !slices.Contains(found, said) {
			found = append(found, said)
		}
	}
	return found
}

// givenIn is in how many conversations each answer was given.
func givenIn(talks []Talk) map[string]int {
	given := map[string]int{}
	for i := range talks {
		for _, answer := range answers(&talks[i]) {
			given[answer]++
		}
	}
	return given
}

// bestAnswer is what was said most where customers were content: rated it well, or, where nobody rated it, were heard of no more.
// What is said in conversations about all sorts of things, as greetings are, counts by the share of those that are about this.
func bestAnswer(cluster []asked, given map[string]int) (answer string, times, content int) {
	rated := slices.ContainsFunc(cluster, func(a asked) bool { return a.talk.Good })
	here, good := map[string]int{}, map[string]int{}
	for _, a := range cluster {
		for _, said := range answers(a.talk) {
			here[said]++
			if a.talk.Good || !rated && a.talk.Solved {
				good[said]++
			}
		}
	}
	worth := func(said string) float64 { return float64(good[said]) * float64(here[said]) / float64(given[said]) }
	for _, said := range slices.Sorted(maps.Keys(good)) {
		if here[said] >= fewestGiven && (answer == "" || worth(said) > worth(answer)) {
			answer = said
		}
	}
	return answer, here[answer], good[answer]
}

// Report is what conversations of some weeks were about.
type Report struct {
	// Name is the week's, as 2026-W47, with how many weeks it ends where it is more than one: 2026-W47-13w.
	Name string `json:"name"`
	// Conversations that ended after an agent had them; Cut says that more did, of which these were drawn.
	Conversations int  `json:"conversations"`
	Cut           bool `json:"cut,omitempty"`
	// Topics are the most frequent questions, up to 20 of each type.
	Topics []Topic `json:"topics" nullable:"false"`
	// Rated is how many conversations were rated, Poor how many poorly.
	Rated int `json:"rated"`
	Poor  int `json:"poor"`
	// Phrases are what agents said in conversations that were rated poorly more often than others.
	Phrases []Phrase `json:"phrases" nullable:"false"`
}

// NewReport counts.
func NewReport(name string, talks []Talk, cut bool, known Known) Report {
	r := Report{Name: name, Conversations: len(talks), Cut: cut, Topics: Topics(talks, known), Phrases: Phrases(talks)}
	for i := range talks {
		if talks[i].Rated {
			r.Rated++
		}
		if talks[i].Poor {
			r.Poor++
		}
	}
	if r.Topics == nil {
		r.Topics = []Topic{}
	}
	return r
}

// folded is how phrases are compared.
func folded(text string) string { return strings.TrimSpace(words.Fold(text)) }
