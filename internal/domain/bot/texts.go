package bot

import (
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	// maxTemplate is the schema's bound on the characters of a text.
	maxTemplate = 600
	// MaxText is the most bytes that a rendered text has; WeChat takes 2048. What is longer is cut at a character.
	MaxText = 2048
)

// Vars are what the texts may speak of. Each text may use those that its field documents.
type Vars struct {
	// Brand and Channel are display names.
	Brand, Channel string
	// Hours are today's opening hours.
	Hours string
	// NextOpening is the time of the next opening as people read it.
	NextOpening string
	// QueuePosition is the number of customers ahead.
	QueuePosition int
	// ExpectedWait is how long it will take until an agent answers, as people say it.
	ExpectedWait string
	// IntakeFields is what the customer is asked for, as people read it.
	IntakeFields string
	// RatingAnswers are what the customer may answer to the question how they were served.
	RatingAnswers string
	// AfterSalesForm is the address of the customer's own form for after-sales; "" where they reach none.
	AfterSalesForm string
}

const (
	formVariable = "AfterSalesForm"
	// formURL is the address of a link that leads to the form.
	formURL = "{{." + formVariable + "}}"
	// maxForm is the most bytes that the form's address has: one that is cut leads nowhere.
	maxForm = 384
)

// text is something that the bot says; the zero value is not said. form says that it speaks of the customer's own form.
type text struct {
	*template.Template
	form bool
}

// texts are the compiled texts.
type texts struct {
	welcome, offHours, queued, queueFull, intake, survey, rated, complaintAcknowledged, banner text
}

// led are those in which customers may be led to their form, by the names of their fields.
func (t texts) led() map[string]text {
	return map[string]text{"welcome": t.welcome, "offHours": t.offHours, "queued": t.queued, "queueFull": t.queueFull}
}

// Welcome is what is sent when a customer enters the chat; "" is not sent, here and in the texts below.
func (p *Playbook) Welcome(vars Vars) (string, error) { return render(p.texts.welcome, vars) }

// WelcomeLeads and OffHoursLeads say whether those texts speak of the customer's own form, which not everybody can make an address of.
func (p *Playbook) WelcomeLeads() bool { return p.texts.welcome.form }

// OffHoursLeads is as WelcomeLeads.
func (p *Playbook) OffHoursLeads() bool { return p.texts.offHours.form }

// OffHours is what is sent, once per closed period, to who writes while the group is closed.
func (p *Playbook) OffHours(vars Vars) (string, error) { return render(p.texts.offHours, vars) }

// Queued is what is sent once to who has to wait for a free agent.
func (p *Playbook) Queued(vars Vars) (string, error) { return render(p.texts.queued, vars) }

// QueueFull is what is sent instead of Queued to who comes while the queue is full.
func (p *Playbook) QueueFull(vars Vars) (string, error) { return render(p.texts.queueFull, vars) }

// Intake asks who is given to a human for what spec.intake wants.
func (p *Playbook) Intake(vars Vars) (string, error) { return render(p.texts.intake, vars) }

// Survey asks how the customer was served.
func (p *Playbook) Survey(vars Vars) (string, error) { return render(p.texts.survey, vars) }

// Rated is what is sent to who has answered.
func (p *Playbook) Rated(vars Vars) (string, error) { return render(p.texts.rated, vars) }

// ComplaintAcknowledged is what is sent at once when a conversation becomes a complaint.
func (p *Playbook) ComplaintAcknowledged(vars Vars) (string, error) {
	return render(p.texts.complaintAcknowledged, vars)
}

// Banner is what is sent first while complaints are far more than usual.
func (p *Playbook) Banner(vars Vars) (string, error) { return render(p.texts.banner, vars) }

func render(t text, vars Vars) (string, error) {
	if t.Template == nil {
		return "", nil
	}
	var out strings.Builder
	if err := t.Execute(&out, vars); err != nil {
		return "", fmt.Errorf("rendering the text %s: %w", t.Name(), err)
	}
	return cut(out.String(), MaxText), nil
}

// cut shortens a text to at most the number of bytes, between characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (c *compiler) texts(path *field.Path, spec yingdav1.PlaybookTexts) texts {
	return texts{
		welcome:               c.text(path.Child("welcome"), "welcome", spec.Welcome, "Brand", "Channel", "Hours", formVariable),
		offHours:              c.text(path.Child("offHours"), "offHours", spec.OffHours, "Brand", "Channel", "Hours", "NextOpening", formVariable),
		queued:                c.text(path.Child("queued"), "queued", spec.Queued, "Brand", "Channel", "QueuePosition", "ExpectedWait", formVariable),
		queueFull:             c.text(path.Child("queueFull"), "queueFull", valueOf(spec.QueueFull), "Brand", "Channel", "QueuePosition", "ExpectedWait", formVariable),
		intake:                c.text(path.Child("intake"), "intake", valueOf(spec.Intake), "Brand", "Channel", "IntakeFields"),
		survey:                c.text(path.Child("survey"), "survey", valueOf(spec.Survey), "Brand", "Channel", "RatingAnswers"),
		rated:                 c.text(path.Child("rated"), "rated", valueOf(spec.Rated), "Brand", "Channel"),
		complaintAcknowledged: c.text(path.Child("complaintAcknowledged"), "complaintAcknowledged", spec.ComplaintAcknowledged, "Brand", "Channel"),
		banner:                c.text(path.Child("banner"), "banner", spec.Banner, "Brand", "Channel"),
	}
}

// text compiles one text: it has to parse, to use nothing but its variables, and to render.
func (c *compiler) text(path *field.Path, name, source string, variables ...string) text {
	if source == "" {
		return text{}
	}
	if n := utf8.RuneCountInString(source); n > maxTemplate {
		c.fail(field.Invalid(path, excerpt(source), fmt.Sprintf("write at most %d characters, not %d", maxTemplate, n)))
		return text{}
	}
	t, err := template.New(name).Parse(source)
	if err != nil {
		c.fail(field.Invalid(path, excerpt(source), "not a Go template: "+err.Error()+"; the variables are "+listed(variables)))
		return text{}
	}
	if t.Tree == nil || t.Root == nil { // nothing but comments
		return text{}
	}
	used, err := check(t, variables)
	if err != nil {
		c.fail(field.Invalid(path, excerpt(source), err.Error()))
		return text{}
	}
	forms := used[formVariable]
	if most := len(source) + forms*maxForm; forms > 0 && most > MaxText {
		c.fail(field.Invalid(path, excerpt(source), fmt.Sprintf("with the address of the form this may have %d bytes of at most %d: write less beside it, and put it in once", most, MaxText)))
		return text{}
	}
	return text{t, forms > 0}
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// samples are the least and a usual case, since logic computes no more than it needs.
func samples() []Vars {
	return []Vars{
		{},
		{Brand: "露米", Channel: "露米商城", Hours: "09:00-21:00", NextOpening: "明天 09:00", QueuePosition: 1, ExpectedWait: "约 5 分钟", IntakeFields: "订单号", RatingAnswers: "1 到 5", AfterSalesForm: "https://service.example/forms/after-sales/a"},
	}
}

// excerpt is the start of a text, enough to recognise it: the whole would bury the mistake in the message.
func excerpt(text string) string {
	const most = 40
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
