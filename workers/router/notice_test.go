package router

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// asNotice and asText are the two ways in which a customer is told of a case by the platform.
func asNotice(id string) message.Content {
	return message.Content{
		Kind: message.KindNotice, Text: "退款已到账。", Notice: &message.Notice{Name: "afterSales", Case: id, Step: "told/1", Values: map[string]string{}},
	}
}

func asText(id string) message.Content {
	return message.Content{Kind: message.KindText, Text: "退款已到账。", About: &message.About{Case: id, Step: "told/1"}}
}

// notifies has a customer told of their case, of which that becomes.
func (w *world) notifies(email string, as func(id string) message.Content, state message.DeliveryState) (id string, report message.Envelope) {
	w.t.Helper()
	w.writes("c", "退款")
	conversation := w.row("c")
	id = promise.AfterSalesID("lumi", "lumi", uuid.New())
	notice := message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "c", Conversation: conversation.ID, Content: as(id)}
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.RecordAfterSales(ctx, promise.AfterSalesInput{
			ID: id, Channel: "shop", Customer: "c", SkillGroup: "after-sales", Conversation: &conversation.ID, StartedAt: w.now,
			Application: aftersales.Application{
				Kind: aftersales.Return, Reason: aftersales.Quality, Source: aftersales.FromAgent, Contact: aftersales.Contact{Email: email},
				Order: aftersales.Order{Number: "LM20261120001", Paid: 9900},
			},
		}, store.Taking{Step: "apply"})
		return err
	})
	if err == nil {
		_, err = w.Store.Pool().Exec(w.t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at)
			VALUES ($1, 'shop', 'shop', 'c', $2, $3, now())`, notice.MessageID, state, notice)
	}
	if err == nil {
		report, err = message.New(uuid.NewString(), message.TypeDelivery, "/test", "shop", message.CustomerKey("shop", "c"), w.now, message.Delivery{
			MessageID: notice.MessageID, Channel: "shop", Customer: "c", State: state, At: w.now,
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id, report
}

func TestWhatWasNotToldOfACaseIsToldOtherwise(t *testing.T) {
	const address = "zhang@mail.example"
	for name, tc := range map[string]struct {
		email string
		mail  bool
		as    func(id string) message.Content
		state message.DeliveryState
		want  []string
		mails int
	}{
		"by e-mail":                              {address, true, asNotice, message.DeliveryFailed, []string{"mail/told/1"}, 1},
		"by e-mail where it was a text":          {address, true, asText, message.DeliveryFailed, []string{"mail/told/1"}, 1},
		"not by e-mail without an address":       {"", true, asNotice, message.DeliveryFailed, []string{"untold/1"}, 0},
		"nor a text without an address":          {"", true, asText, message.DeliveryFailed, []string{"untold/1"}, 0},
		"not by e-mail without a mail server":    {address, false, asNotice, message.DeliveryFailed, []string{"untold/1"}, 0},
		"nor at all where it was delivered":      {address, true, asText, message.DeliveryDelivered, nil, 0},
		"nor where nobody knows what it came to": {address, true, asText, message.DeliveryUnknown, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.becomes(func(objects []client.Object) {
				for _, object := range objects {
					if b, ok := object.(*yingdav1.Brand); ok && tc.mail {
						b.Spec.Mail = &yingdav1.BrandMail{Host: "smtp.example"}
					}
				}
			})
			id, report := w.notifies(tc.email, tc.as, tc.state)
			w.handles(report, report) // A report may come twice.
			events, err := w.Store.Queries().CaseEvents(t.Context(), id, 100)
			if err != nil {
				t.Fatal(err)
			}
			var steps []string
			for _, e := range events {
				if e.Step != "apply" {
					steps = append(steps, e.Step)
				}
				if strings.Contains(e.Note, address) {
					t.Errorf("the history holds %q", e.Note)
				}
			}
			if diff := cmp.Diff(tc.want, steps); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			rows, err := w.Store.Queries().OutboxHead(t.Context(), []int16{0, 1, 2, 3, 4, 5, 6, 7}, store.DestinationTemporal, 100)
			if err != nil {
				t.Fatal(err)
			}
			mails := 0
			for _, row := range rows {
				if row.Target == store.TargetStart+promise.MailWorkflow {
					mails++
				}
			}
			if mails != tc.mails {
				t.Errorf("%d mails, want %d", mails, tc.mails)
			}
		})
	}
}
