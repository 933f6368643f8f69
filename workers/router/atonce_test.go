package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
)

// tapsOf gives the rules of the sample keys of a menu.
func tapsOf(objects []client.Object) {
	for _, object := range objects {
		playbook, ok := object.(*yingdav1.Playbook)
		if !ok {
			continue
		}
		for i := range playbook.Spec.Rules {
			playbook.Spec.Rules[i].Match.MenuKeys = []string{"KEY-" + playbook.Spec.Rules[i].Name}
		}
	}
}

// did is what a customer did, and what the connector has said to it at once; no reason is nothing.
func (w *world) did(customer string, content message.Content, reason message.ReplyReason, said ...string) message.Envelope {
	w.t.Helper()
	id := uuid.NewString()
	in := message.Inbound{Channel: "shop", Customer: customer, MessageID: id, SentAt: w.now, ReceivedAt: w.now, Content: content}
	if reason != "" {
		in.Reply = &message.Reply{Reason: reason}
		for _, text := range said {
			in.Reply.Contents = append(in.Reply.Contents, message.Content{Kind: message.KindText, Text: text})
		}
	}
	e, err := message.New(id, message.TypeInbound, "/test", "shop", message.CustomerKey("shop", customer), w.now, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// didTold is as did with the answer of a rule, before which the connector told of an emergency.
func (w *world) didTold(customer string, content message.Content, emergency int64, said ...string) message.Envelope {
	w.t.Helper()
	in, err := message.Payload[message.Inbound](w.did(customer, content, message.ReplyRule, said...), message.TypeInbound)
	if err != nil {
		w.t.Fatal(err)
	}
	in.Reply.Banner = emergency
	e, err := message.New(in.MessageID, message.TypeInbound, "/test", "shop", message.CustomerKey("shop", customer), w.now, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func written(words string) message.Content {
	return message.Content{Kind: message.KindText, Text: words}
}

func tap(key string) message.Content { return message.Content{Kind: message.KindMenuTap, MenuKey: key} }

// sends is how many messages wait in the outbox for the connectors.
func (w *world) sends() int {
	w.t.Helper()
	var n int
	err := w.Store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM outbox WHERE event_type = $1`, string(message.TypeOutbound)).Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestWhatWasSaidAtOnceIsInTheTranscriptAndNotSentAgain(t *testing.T) {
	evening := func(w *world) { w.now = w.now.Add(10 * time.Hour) }
	for sentence, tt := range map[string]struct {
		at   func(*world)
		did  func(*world) []message.Envelope
		want seen
		// sends is what the connectors are given to send.
		sends int
	}{
		"a welcome": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", message.Content{Kind: message.KindFollowed}, message.ReplyWelcome, "您好")}
			},
			want: seen{State: "bot", Said: []string{"您好"}},
		},
		"a welcome that could not be said at once is sent": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", message.Content{Kind: message.KindFollowed}, "")}
			},
			want:  seen{State: "bot", Said: []string{"您好,这里是露米客服。"}},
			sends: 1,
		},
		"the answer of a rule": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("发票"), message.ReplyRule, "开票:")}
			},
			want: seen{State: "bot", Heard: []string{"发票"}, Said: []string{"开票:"}},
		},
		"the answer of a rule that is gone since": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("在吗"), message.ReplyRule, "在的")}
			},
			want: seen{State: "bot", Heard: []string{"在吗"}, Said: []string{"在的"}},
		},
		"the answer to a tap": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", tap("KEY-invoice"), message.ReplyRule, "开票:")}
			},
			want: seen{State: "bot", Heard: []string{""}, Said: []string{"开票:"}},
		},
		"an entry of the FAQ, after which who asks again gets a human": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("尺码怎么选"), message.ReplyRule, "请看尺码表。"), w.did("c", written("怎么选尺码"), "")}
			},
			want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"尺码怎么选", "怎么选尺码"}, Said: []string{"请看尺码表。"}},
		},
		"an entry of the FAQ that the router had said before: a human is given all the same": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("尺码怎么选"), ""), w.did("c", written("怎么选尺码"), message.ReplyRule, "请看尺码表。")}
			},
			want: seen{
				State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"尺码怎么选", "怎么选尺码"}, Said: []string{"请看尺码表。", "请看尺码表。"},
			},
			sends: 1,
		},
		"the answer of a rule that gives to a human since": {
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("转人工"), message.ReplyRule, "请稍等。")}
			},
			want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"转人工"}, Said: []string{"请稍等。"}},
		},
		"that nobody serves now": {
			at: evening,
			did: func(w *world) []message.Envelope {
				return []message.Envelope{w.did("c", written("在吗"), message.ReplyOffHours, "休息"), w.did("c", written("有人吗"), "")}
			},
			want: seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗", "有人吗"}, Said: []string{"休息"}},
		},
		"that nobody serves now, said by the router where the connector could not": {
			at:    evening,
			did:   func(w *world) []message.Envelope { return []message.Envelope{w.did("c", written("在吗"), "")} },
			want:  seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗"}, Said: []string{"现在休息(09:00-21:00),11月24日 09:00回复您。"}},
			sends: 1,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t, tapsOf)
			if tt.at != nil {
				tt.at(w)
			}
			batch := tt.did(w)
			w.handles(batch...)
			w.handles(batch...)
			if diff := cmp.Diff(tt.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			if got := w.sends(); got != tt.sends {
				t.Errorf("%d messages are sent, want %d", got, tt.sends)
			}
			var undelivered int
			err := w.Store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM message m LEFT JOIN delivery d ON d.message_id = m.id
				WHERE m.direction = 'outbound' AND d.state IS DISTINCT FROM 'delivered'`).Scan(&undelivered)
			if err != nil || undelivered != tt.sends {
				t.Errorf("%d messages are not delivered yet, want %d (%v)", undelivered, tt.sends, err)
			}
		})
	}
}

func TestAMessageInDoubtIsAnsweredOnce(t *testing.T) {
	call := uuid.New()
	row := func(w *world, id string, by uuid.UUID, withdrawn bool) {
		w.t.Helper()
		if _, err := w.Store.Pool().Exec(w.t.Context(), `INSERT INTO passive_reply (channel, external_id, key, message_id, reply, replied_at, call, withdrawn)
			VALUES ('shop', 'c', 'k', $1, '{"reason":"welcome","contents":[{"kind":"text","text":"您好"}]}', now(), $2, $3)`, id, by, withdrawn); err != nil {
			w.t.Fatal(err)
		}
	}
	for sentence, tt := range map[string]struct {
		before func(w *world, id string)
		said   string
		sends  int
	}{
		"by the router, where nothing is remembered":               {func(*world, string) {}, "您好,这里是露米客服。", 1},
		"by the router, where the very call is remembered":         {func(w *world, id string) { row(w, id, call, false) }, "您好,这里是露米客服。", 1},
		"by another call of the platform's":                        {func(w *world, id string) { row(w, id, uuid.New(), false) }, "您好", 0},
		"by a connector that sends what nobody has heard meantime": {func(w *world, id string) { row(w, id, call, true) }, "您好", 0},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			id := uuid.NewString()
			tt.before(w, id)
			in := message.Inbound{
				Channel: "shop", Customer: "c", MessageID: id, SentAt: w.now, ReceivedAt: w.now, Content: message.Content{Kind: message.KindFollowed}, InDoubt: call,
			}
			e, err := message.New(id, message.TypeInbound, "/test", "shop", message.CustomerKey("shop", "c"), w.now, in)
			if err != nil {
				t.Fatal(err)
			}
			w.handles(e, e)
			if diff := cmp.Diff([]string{tt.said}, w.sees("c").Said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			if got := w.sends(); got != tt.sends {
				t.Errorf("%d messages are sent, want %d", got, tt.sends)
			}
			// Whichever it was, no call says it from now on but those of another call's answer.
			standing, err := w.Store.Standing(t.Context(), in)
			if err != nil || standing.Withdrawn == (tt.sends == 0 && sentence == "by another call of the platform's") {
				t.Errorf("withdrawn: %t (%v)", standing.Withdrawn, err)
			}
		})
	}
}

func TestTapsOnTheMenuReachTheBot(t *testing.T) {
	for sentence, tt := range map[string]struct {
		before, key string
		want        seen
		open        bool
	}{
		"a rule that replies": {
			key: "KEY-invoice", open: true, want: seen{State: "bot", Heard: []string{""}, Said: []string{"开票入口:", "https://lumi.example/invoice"}},
		},
		"a rule that hands off": {
			key: "KEY-complaint", open: true, want: seen{State: "assigned", Group: "pre-sales", Topic: "complaint", Agent: "xiaomei", Heard: []string{""}, Said: []string{heardOut}},
		},
		"no rule, and nothing comes of it": {key: "OTHER"},
		"no rule, while an agent has the conversation, who sees it": {
			before: "在吗", key: "OTHER", open: true, want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"在吗", ""}},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t, tapsOf)
			if tt.before != "" {
				w.writes("c", tt.before)
			}
			w.handles(w.did("c", tap(tt.key), ""))
			if !tt.open {
				var n int
				if err := w.Store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM conversation`).Scan(&n); err != nil || n != 0 {
					t.Errorf("%d conversations (%v), want none", n, err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoFollowsNoMoreIsWaitedForByNobody(t *testing.T) {
	unfollows := message.Content{Kind: message.KindUnfollowed}
	for sentence, tt := range map[string]struct {
		play func(*world)
		want string
	}{
		"with the bot":                    {func(w *world) { w.writes("c", "发票") }, "closed"},
		"in the queue":                    {func(w *world) { w.writes("first", "在吗"); w.writes("c", "在吗") }, "closed"},
		"until the opening":               {func(w *world) { w.now = w.now.Add(10 * time.Hour); w.writes("c", "在吗") }, "closed"},
		"with an agent, who is to end it": {func(w *world) { w.writes("c", "在吗") }, "assigned"},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t)
			tt.play(w)
			w.handles(w.did("c", unfollows, ""))
			if got := w.sees("c").State; got != tt.want {
				t.Errorf("the conversation is %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("but that they waited in vain is looked at", func(t *testing.T) {
		w := newWorld(t)
		w.writes("first", "在吗")
		w.writes("c", "在吗")
		w.now = w.now.Add(time.Hour)
		w.handles(w.did("c", unfollows, ""))
		reviews, err := w.Store.Queries().Reviews(t.Context(), 10)
		if err != nil || len(reviews) != 1 || reviews[0].Conversation.ExternalID != "c" || reviews[0].LateAgent != "" || reviews[0].WaitedSeconds != 3600 {
			t.Errorf("to be looked at are %+v, %v", reviews, err)
		}
	})
	t.Run("but who has written since is back", func(t *testing.T) {
		w := newWorld(t)
		before := w.did("c", unfollows, "")
		w.now = w.now.Add(time.Second)
		w.writes("c", "发票")
		w.handles(before)
		if got := w.sees("c").State; got != "bot" {
			t.Errorf("the conversation is %s", got)
		}
	})
	t.Run("and where there is nothing, nothing comes of it", func(t *testing.T) {
		w := newWorld(t)
		w.handles(w.did("c", unfollows, ""), w.did("c", message.Content{Kind: message.KindPosition}, ""))
		var n int
		if err := w.Store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM conversation) + (SELECT count(*) FROM quota WHERE remaining > 0 OR session_remaining > 0)`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d conversations and grants (%v), want none", n, err)
		}
	})
}
