package bot

import (
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// Bounds of the resource's schema that keep a decision cheap.
const (
	maxRules    = 256
	maxKeywords = 64
	maxKeyword  = 32
	maxPhrases  = 32
	maxMenuKeys = 16
)

// Validate lists what is wrong with a spec. The schema of the resource finds most of it at admission; what it cannot know
// (templates, blank words, links that are no URLs) is found here alone.
func Validate(spec yingdav1.PlaybookSpec) field.ErrorList {
	c := compiler{}
	c.playbook(spec)
	return c.errs
}

// compiler reads a spec and collects its mistakes, so that an author sees all of them at once.
type compiler struct {
	errs field.ErrorList
	// replies are those with variables, as they are written.
	replies map[string]text
}

func (c *compiler) fail(err *field.Error) { c.errs = append(c.errs, err) }

func (c *compiler) playbook(spec yingdav1.PlaybookSpec) *Playbook {
	path := field.NewPath("spec")
	c.replies = map[string]text{}
	p := &Playbook{texts: c.texts(path.Child("texts"), spec.Texts), replies: c.replies}
	p.phrases = append(standingPhrases(), c.words(path.Child("handOff", "phrases"), spec.HandOff.Phrases, maxPhrases)...)
	c.rules(p, path.Child("rules"), spec.Rules)
	p.faq = c.faq(path.Child("faq"), spec.FAQ, p.phrases)
	c.errs = append(c.errs, survey.Validate(spec.Survey)...)
	c.cannedReplies(path.Child("cannedReplies"), spec.CannedReplies)
	return p
}

func (c *compiler) rules(p *Playbook, path *field.Path, rules []yingdav1.PlaybookRule) {
	if c.tooMany(path, len(rules), maxRules) {
		return
	}
	names := map[string]bool{}
	for i := range rules {
		at, spec := path.Index(i), &rules[i]
		c.unique(at.Child("name"), spec.Name, names)
		keywords := at.Child("match", "keywords")
		if len(spec.Match.Keywords) == 0 && len(spec.Match.MenuKeys) == 0 {
			c.fail(field.Required(keywords, "rule "+spec.Name+": list the words for which it is, or the menuKeys"))
		}
		c.tooMany(at.Child("match", "menuKeys"), len(spec.Match.MenuKeys), maxMenuKeys)
		compiled := rule{
			keywords: c.words(keywords, spec.Match.Keywords, maxKeywords), menuKeys: spec.Match.MenuKeys, decision: c.decision(at, spec),
		}
		if _, replies := compiled.decision.(Answer); replies {
			c.silenced(keywords, spec, p.phrases)
		}
		p.rules = append(p.rules, compiled)
	}
}

// silenced finds keywords by which a customer asks for a human. Their rule would never reply, since phrases win: whoever
// wrote it means to put the bot between the customer and the human, or believes that it does what it does not.
func (c *compiler) silenced(path *field.Path, spec *yingdav1.PlaybookRule, phrases []string) {
	for i, keyword := range spec.Match.Keywords {
		if phrase, asks := held(words.Fold(keyword), phrases); asks {
			c.fail(field.Invalid(path.Index(i), keyword, "rule "+spec.Name+": who writes this asks for a human ("+phrase+
				"), and a reply may not come between; set handOff instead of reply, or remove the keyword"))
		}
	}
}

func (c *compiler) decision(path *field.Path, spec *yingdav1.PlaybookRule) Decision {
	switch {
	case (spec.Reply == nil) == (spec.HandOff == nil):
		c.fail(field.Invalid(path, spec.Name, "set exactly one of reply and handOff"))
		return NoMatch{}
	case spec.HandOff != nil:
		if spec.HandOff.Topic == "" {
			c.fail(field.Required(path.Child("handOff", "topic"), "rule "+spec.Name+": name the topic"))
		}
		return HandOff{Rule: spec.Name, Topic: spec.HandOff.Topic}
	default:
		reply := path.Child("reply")
		if words.Blank(spec.Reply.Text) {
			c.fail(field.Required(reply.Child("text"), "rule "+spec.Name+": write what the bot answers"))
		}
		answer := Answer{Rule: spec.Name, Text: spec.Reply.Text, Link: c.link(reply.Child("link"), spec.Reply.Link)}
		answer.Form = c.reply(reply.Child("text"), spec.Reply.Text) || answer.Link != nil && answer.Link.URL == formURL
		return answer
	}
}

// reply reads the variables of what is answered, and says whether the customer's form is one of them.
func (c *compiler) reply(path *field.Path, source string) (form bool) {
	if !strings.Contains(source, "{{") {
		return false
	}
	reply := c.text(path, "reply", source, "Brand", "Channel", formVariable)
	c.replies[source] = reply
	return reply.form
}

func (c *compiler) link(path *field.Path, spec *yingdav1.BotLink) *Link {
	if spec == nil {
		return nil
	}
	if spec.URL == formURL {
		return &Link{Title: spec.Title, URL: spec.URL}
	}
	u, err := url.Parse(spec.URL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		c.fail(field.Invalid(path.Child("url"), spec.URL, "write a full address without a password, for example https://shop.example/invoice, or "+formURL))
	}
	return &Link{Title: spec.Title, URL: spec.URL}
}

// words folds words, and refuses blank ones: they would match every text.
func (c *compiler) words(path *field.Path, list []string, most int) []string {
	if c.tooMany(path, len(list), most) {
		return nil
	}
	folded := make([]string, 0, len(list))
	for i, w := range list {
		if words.Blank(words.Fold(w)) {
			c.fail(field.Invalid(path.Index(i), w, "a word of spaces would match every text; write a word or remove it"))
			continue
		}
		folded = append(folded, words.Fold(w))
	}
	return folded
}

func (c *compiler) cannedReplies(path *field.Path, replies []yingdav1.CannedReply) {
	codes := map[string]bool{}
	for i := range replies {
		c.unique(path.Index(i).Child("code"), replies[i].Code, codes)
		if words.Blank(replies[i].Text) {
			c.fail(field.Required(path.Index(i).Child("text"), fmt.Sprintf("canned reply %s: write what is sent", replies[i].Code)))
		}
	}
}

func (c *compiler) unique(path *field.Path, name string, taken map[string]bool) {
	if taken[name] {
		c.fail(field.Duplicate(path, name))
	}
	taken[name] = true
}

func (c *compiler) tooMany(path *field.Path, n, most int) bool {
	if n > most {
		c.fail(field.TooMany(path, n, most))
	}
	return n > most
}
