package wechatsim

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// templateMessage is what message/template/send takes.
type templateMessage struct {
	ToUser     string `json:"touser"`
	TemplateID string `json:"template_id"`
	Data       map[string]struct {
		Value string `json:"value"`
	} `json:"data"`
}

// serveTemplate is POST /cgi-bin/message/template/send. It needs a follower, but no window.
func (s *Server) serveTemplate(c *call) (answer, error) {
	var m templateMessage
	if err := readAPIBody(c.body, &m); err != nil {
		return answer{}, err
	}
	if needlessEscape(c.body) {
		return answer{}, errNeedlessEscape()
	}
	now, real := s.now(), s.opts.Clock()
	acc := c.account
	acc.mu.Lock()
	defer acc.mu.Unlock()
	cust, ok := acc.customers[m.ToUser]
	if !ok {
		return answer{}, wxErrorf(40003, "invalid openid")
	}
	template, ok := acc.app.Templates[m.TemplateID]
	if !ok {
		return answer{}, wxErrorf(40037, "invalid template_id")
	}
	text, err := m.fill(template)
	if err != nil {
		return answer{}, err
	}
	if !cust.profile.Follows {
		return answer{}, wxErrorf(43004, "require subscribe")
	}
	if err := acc.countLocked(opTemplate, now); err != nil {
		return answer{}, err
	}
	id := s.ids.next(real)
	status := cust.profile.TemplateStatus
	setDefault(&status, "success")
	if status == "success" {
		acc.appendLocked(cust, Entry{
			At: real, From: FromAccount, Via: ViaTemplate, Type: "template", Text: text, Body: compact(c.body),
		})
	}
	acc.stats.change(func(st *Stats) { st.TemplatesSent++ })
	return jsonAnswer(map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id}), s.reportTemplateLocked(c.request, acc, cust, id, status, real)
}

// fill puts the values into a template's text.
func (m templateMessage) fill(template string) (string, error) {
	missing := ""
	text := regexp.MustCompile(`\{\{(\w+)\.DATA\}\}`).ReplaceAllStringFunc(template, func(place string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(place, "{{"), ".DATA}}")
		value := m.Data[name].Value
		if value == "" {
			missing = name
		}
		return value
	})
	if missing != "" {
		return "", wxErrorf(47003, "argument invalid! data."+missing+".value is empty")
	}
	return text, nil
}

// reportTemplateLocked pushes how the template message ended. Without a callback nobody hears of it.
func (s *Server) reportTemplateLocked(r *http.Request, acc *account, c *customer, id int64, status string, at time.Time) error {
	if acc.app.CallbackURL == "" {
		return nil
	}
	j := &job{
		id: numberText(s.ids.next(at)), openID: c.openID, kind: acc.app.Kind, created: at, done: func(Push) {},
		event: true, unseen: true, seq: c.lastSeq + 1,
		fields: []field{{"MsgType", "event"}, {"Event", eventTemplateFinished}, {"MsgID", id}, {"Status", status}},
	}
	if err := s.enqueueLocked(r.Context(), acc, c, j); err != nil {
		return wxErrorf(-1, "system error")
	}
	acc.appendLocked(c, Entry{At: at, From: FromCustomer, Type: "event", Text: eventTemplateFinished + " " + status, State: PushSending})
	acc.stats.change(func(st *Stats) { st.Pushes++ })
	return nil
}
