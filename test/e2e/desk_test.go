//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
)

// desk is the workbench as one agent sees it.
type desk struct{ url, token, agent string }

type conversation struct {
	ID         string `json:"id"`
	Channel    string `json:"channel"`
	Customer   string `json:"customer"`
	State      string `json:"state"`
	SkillGroup string `json:"skillGroup"`
	Topic      string `json:"topic"`
	Agent      string `json:"agent"`
}

// The states of a conversation.
const (
	awaitingOpening = "awaiting_opening"
	queued          = "queued"
	assigned        = "assigned"
	closed          = "closed"
)

type content struct {
	Kind  string `json:"kind"`
	Text  string `json:"text,omitempty"`
	Media *struct {
		ID string `json:"id"`
	} `json:"media,omitempty"`
}

type message struct {
	ID           string    `json:"id"`
	Conversation string    `json:"conversation"`
	Direction    string    `json:"direction"`
	Sender       string    `json:"sender"`
	Content      content   `json:"content"`
	SentAt       time.Time `json:"sentAt"`
	Delivery     *delivery `json:"delivery"`
}

type complaint struct {
	ID           string `json:"id"`
	Conversation string `json:"conversation"`
	State        string `json:"state"`
	EscalatedTo  string `json:"escalatedTo"`
	ResolvedBy   string `json:"resolvedBy"`
}

// thread is a conversation with what was said in it.
type thread struct {
	Conversation conversation `json:"conversation"`
	Messages     []message    `json:"messages"`
	Complaint    *complaint   `json:"complaint"`
}

// said lists what one side said, in the transcript's order.
func (th thread) said(direction string) []string {
	var texts []string
	for _, m := range th.Messages {
		if m.Direction == direction {
			texts = append(texts, m.Content.Text)
		}
	}
	return texts
}

func (d desk) do(ctx context.Context, method, path string, in, out any) error {
	return call(ctx, method, d.url+path, d.token, in, out)
}

func (d desk) setDuty(ctx context.Context, onDuty bool) error {
	return d.do(ctx, http.MethodPut, "/api/duty", map[string]bool{"onDuty": onDuty}, nil)
}

// conversations lists those in a state; mine may be "true" or empty.
func (d desk) conversations(ctx context.Context, state, mine string) ([]conversation, error) {
	query := url.Values{"limit": {"200"}}
	for name, value := range map[string]string{"state": state, "mine": mine} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer struct {
		Conversations []conversation `json:"conversations"`
	}
	err := d.do(ctx, http.MethodGet, "/api/conversations?"+query.Encode(), nil, &answer)
	return answer.Conversations, err
}

// mine lists what is with this agent now.
func (d desk) mine(ctx context.Context) ([]conversation, error) {
	return d.conversations(ctx, assigned, "true")
}

// sees waits until the desk lists a customer's conversation in a state.
func (d desk) sees(t testing.TB, c customer, state string) conversation {
	t.Helper()
	var found conversation
	await(t, fmt.Sprintf("the desk lists the conversation of %s as %s", c.openid, state), soon,
		func(ctx context.Context) ([]conversation, error) { return d.conversations(ctx, state, "") },
		func(list []conversation) bool {
			for _, one := range list {
				if one.Customer == c.openid && one.State == state {
					found = one
					return true
				}
			}
			return false
		})
	return found
}

func (d desk) thread(ctx context.Context, id string) (thread, error) {
	var th thread
	err := d.do(ctx, http.MethodGet, "/api/conversations/"+id, nil, &th)
	return th, err
}

// hears waits until the customer's side of a transcript is exactly this, and returns the transcript.
func (d desk) hears(t testing.TB, id string, texts ...string) thread {
	t.Helper()
	return await(t, fmt.Sprintf("the customer's side of the transcript is %q", texts), soon,
		func(ctx context.Context) (thread, error) { return d.thread(ctx, id) },
		func(th thread) bool { return describe(th.said("inbound")) == describe(texts) })
}

// send answers; the same key twice is one answer.
func (d desk) send(ctx context.Context, id, key, text string) error {
	return d.do(ctx, http.MethodPost, "/api/conversations/"+id+"/messages",
		map[string]any{"key": key, "content": content{Kind: "text", Text: text}}, nil)
}

// replies answers and waits until the customer reads it.
func (d desk) replies(t testing.TB, c customer, id, text string) {
	t.Helper()
	must(t, d.send(t.Context(), id, uuid.NewString(), text))
	c.reads(t, text)
}

// shows waits until the desk shows under an answer what became of it.
func (d desk) shows(t testing.TB, id, text, state string) delivery {
	t.Helper()
	var found delivery
	await(t, fmt.Sprintf("%q is shown as %s", text, state), soon,
		func(ctx context.Context) (thread, error) { return d.thread(ctx, id) },
		func(th thread) bool {
			for _, m := range th.Messages {
				if m.Content.Text == text && m.Delivery != nil && m.Delivery.State == state {
					found = *m.Delivery
					return true
				}
			}
			return false
		})
	return found
}

func (d desk) close(ctx context.Context, id string) error {
	return d.do(ctx, http.MethodPost, "/api/conversations/"+id+"/close", nil, nil)
}

// closesLater closes a conversation after the test, when the test has not done it.
func (d desk) closesLater(t testing.TB, id string) {
	t.Helper()
	cleanly(t, func(ctx context.Context) error {
		th, err := d.thread(ctx, id)
		if err != nil || th.Conversation.State == closed {
			return err
		}
		return d.close(ctx, id)
	})
}

func (d desk) complaints(ctx context.Context) ([]complaint, error) {
	var answer struct {
		Complaints []complaint `json:"complaints"`
	}
	err := d.do(ctx, http.MethodGet, "/api/complaints", nil, &answer)
	return answer.Complaints, err
}

func (d desk) resolve(ctx context.Context, conversation, resolution string) error {
	return d.do(ctx, http.MethodPost, "/api/conversations/"+conversation+"/complaint/resolve", map[string]string{"resolution": resolution}, nil)
}

// frame is one piece of news on the agent's WebSocket.
type frame struct {
	Seq     int64           `json:"seq"`
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
	At      time.Time       `json:"at"`
	// came is when it arrived here.
	came time.Time
}
