package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	titleShipping      = "发货"
	noteOrderSent      = "已发货"
	noteOrderCancelled = "订单已取消"
)

// orderShipped and orderCancelled are what the provider may say of an order that was paid.
const (
	orderShipped   = "shipped"
	orderCancelled = "cancelled"
)

// ProviderOrder is what the Brand's provider sees of an order that was paid and is to be sent.
type ProviderOrder struct {
	Name     string     `json:"name" doc:"The name of its case." example:"shipping~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	Order    string     `json:"order" doc:"The order's number." example:"LM20261120001"`
	State    string     `json:"state" enum:"open,done,cancelled,lapsed" doc:"done once it was sent; lapsed when nobody said so for a month after it was late." example:"open"`
	Revision int32      `json:"revision" example:"1"`
	Due      *time.Time `json:"due,omitempty" doc:"Until when it is to be sent."`
	Late     bool       `json:"late,omitempty" doc:"It was not sent in time."`
}

type providerPaidInput struct {
	Body struct {
		Key        string    `json:"key" minLength:"1" maxLength:"80" example:"erp-paid-17" doc:"The provider's own name for the report. An order has one clock, by whatever key it is reported again."`
		Channel    string    `json:"channel" minLength:"1" maxLength:"253" example:"shop"`
		Customer   string    `json:"customer" minLength:"1" maxLength:"128" doc:"The customer's id on the Channel, who has written there before."`
		SkillGroup string    `json:"skillGroup,omitempty" maxLength:"253" doc:"The group that sees to it. Default: the Brand's default."`
		Order      PaidOrder `json:"order"`
		PaidAt     time.Time `json:"paidAt" doc:"When it was paid, within the last 30 days: the clock counts from then." example:"2026-11-23T10:00:00+08:00"`
	}
}

// PaidOrder is an order that was paid.
type PaidOrder struct {
	Number string `json:"number" minLength:"1" maxLength:"64" example:"LM20261120001"`
}

type providerOrderInput struct {
	Number string `path:"number" maxLength:"192" doc:"The order's number, escaped as a segment of a path." example:"LM20261120001"`
	Body   struct {
		Key      string `json:"key" minLength:"1" maxLength:"80" example:"erp-shipped-17" doc:"The provider's own name for it: sending it again acts once."`
		Order    string `json:"order" minLength:"1" maxLength:"64" doc:"The order's number, as in the path: it is signed with the rest." example:"LM20261120001"`
		Action   string `json:"action" enum:"shipped,cancelled"`
		Carrier  string `json:"carrier,omitempty" maxLength:"100" example:"顺丰"`
		Tracking string `json:"tracking,omitempty" maxLength:"100" doc:"Wanted by shipped." example:"SF1234567890"`
		Note     string `json:"note,omitempty" maxLength:"500"`
	}
}

type providerOrderOutput struct{ Body ProviderOrder }

func (d *Desk) shippingRoutes(api huma.API) {
	providerRoute(d, api, huma.Operation{
		OperationID: "provider-order-paid", Method: http.MethodPost, Path: providerPath + "orders",
		Summary: "Say that an order was paid, which starts the clock until it is to be sent, once for each order", Errors: []int{409},
	}, d.orderPaid)
	providerRoute(d, api, huma.Operation{
		OperationID: "provider-act-on-order", Method: http.MethodPost, Path: providerPath + "orders/{number}/actions",
		Summary: "Say that an order that was paid was sent, or cancelled, once for each key", Errors: []int{404}, Responses: notPossibleResponse(api),
	}, d.orderEnds)
}

// shippingID is the id of the case of an order: the same order has the same, by whatever report, and nobody reads its number there.
func (d *Desk) shippingID(order string) string {
	return promise.TaskID(d.Names.Namespace, d.Names.Brand, promise.CaseShipping, uuid.NewSHA1(uuid.Nil, []byte(providerPath+"orders/"+order)).String())
}

// orderPaid opens the case of an order that is to be sent. Of one that is known already nothing changes.
func (d *Desk) orderPaid(ctx context.Context, in *providerPaidInput) (*providerOrderOutput, error) {
	snapshot := d.Catalog.Snapshot()
	if _, known := snapshot.Group(in.Body.SkillGroup); in.Body.SkillGroup != "" && !known {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchGroup", "there is no SkillGroup of this name")
	}
	channel, known := snapshot.Channel(in.Body.Channel)
	if !known {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchChannel", "there is no Channel of this name")
	}
	spec := channel.ServiceLevel.Shipping
	shipping, wrong := servicelevel.CompileShipping(spec)
	if err := wrong.ToAggregate(); err != nil {
		return nil, fmt.Errorf("reading how soon orders are sent: %w", err)
	}
	id, number := d.shippingID(in.Body.Order.Number), in.Body.Order.Number
	var opened store.Case
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		contact, err := u.ContactForUpdate(ctx, in.Body.Channel, in.Body.Customer)
		if errors.Is(err, pgx.ErrNoRows) {
			return refusal(http.StatusUnprocessableEntity, "NoSuchCustomer", "nobody of this id has written on the Channel")
		}
		if err != nil {
			return fmt.Errorf("reading a contact: %w", err)
		}
		paid, err := d.paidAt(ctx, u, id, in.Body.PaidAt)
		if err != nil {
			return err
		}
		group := cmp.Or(in.Body.SkillGroup, snapshot.DefaultGroup())
		due := paid.Add(shipping.Within)
		opened, _, err = u.OpenTask(ctx, promise.TaskInput{
			ID: id, Kind: promise.CaseShipping, Channel: contact.Channel, Customer: contact.ExternalID, SkillGroup: group, StartedAt: paid, Due: due,
			RemindBeforeSeconds: int64(shipping.RemindBefore / time.Second), Ladder: store.Rungs(shipping.Ladder), LateText: spec.LateText,
		}, store.TaskCase{
			Title: titleShipping + " " + aftersales.Masked(number), Due: due, Detail: promise.TaskDetail{Order: number},
		}, store.Taking{Step: "open", Action: history.Open, Actor: aftersales.ByProvider})
		if err == nil && (opened.Channel != contact.Channel || opened.Customer != contact.ExternalID) {
			return refusal(http.StatusConflict, "OtherCustomer", "the order was reported as that of another customer")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.providerOrder(opened)
}

// paidAt refuses a time at which a new case cannot have begun. Of one that is there its own counts: reports may be repeated late.
func (d *Desk) paidAt(ctx context.Context, u *store.Unit, id string, at time.Time) (time.Time, error) {
	row, err := u.CaseGet(ctx, id)
	switch {
	case err == nil:
		return row.OpenedAt, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return time.Time{}, fmt.Errorf("looking for the case: %w", err)
	}
	paid, err := task.Paid(at, u.Now)
	return paid, refusing(err)
}

// orderEnds says that an order was sent, or will not be.
func (d *Desk) orderEnds(ctx context.Context, in *providerOrderInput) (*providerOrderOutput, error) {
	switch {
	case in.Body.Order != in.Number:
		return nil, refusal(http.StatusUnprocessableEntity, "OtherOrder", "order is not the number in the path")
	case in.Body.Action == orderShipped && strings.TrimSpace(in.Body.Tracking) == "":
		return nil, refusal(http.StatusUnprocessableEntity, "TrackingMissing", "shipped needs tracking")
	}
	action, state, note := task.Done, promise.TaskDone, cmp.Or(in.Body.Note, noteOrderSent)
	if in.Body.Action == orderCancelled {
		action, state, note = task.Cancel, promise.TaskCancelled, cmp.Or(in.Body.Note, noteOrderCancelled)
	} else {
		note += "，" + cmp.Or(in.Body.Carrier, "快递单号") + " " + in.Body.Tracking
	}
	taking := store.Taking{Step: "act/provider/" + in.Body.Key, Action: history.Action(action), Actor: aftersales.ByProvider, Note: note}
	id := d.shippingID(in.Number)
	if err := d.keyIsTheirs(ctx, id, taking); err != nil {
		return nil, err
	}
	var now store.Case
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) (err error) {
		var fresh bool
		now, fresh, err = u.ChangeCase(ctx, id, taking, func(c *store.Case) error {
			facts, detail, err := factsOf(*c)
			if err != nil {
				return err
			}
			if err := task.Check(facts, task.Decision{Action: action, Note: note}, u.Now); err != nil {
				return notPossible("Ended", err.Error(), []AllowedAction{})
			}
			if action == task.Done {
				detail.Carrier, detail.Tracking = in.Body.Carrier, in.Body.Tracking
			}
			if c.Detail, err = json.Marshal(detail); err != nil {
				return fmt.Errorf("encoding a task: %w", err)
			}
			c.State, c.ClosedAt, c.Due = string(state), &u.Now, nil
			return nil
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return refusal(http.StatusNotFound, "NoSuchOrder", "nobody has said that an order of this number was paid: say that first")
		}
		if err != nil || !fresh {
			return err
		}
		return u.SignalWorkflow(ctx, id, promise.SignalTaskEnd, promise.TaskEnd{By: aftersales.ByProvider, State: state})
	})
	if err != nil {
		return nil, err
	}
	return d.providerOrder(now)
}

func (d *Desk) providerOrder(c store.Case) (*providerOrderOutput, error) {
	detail, err := store.TaskOf(c)
	if err != nil {
		return nil, err
	}
	return &providerOrderOutput{ProviderOrder{
		Name: d.nameOf(c.ID), Order: detail.Order, State: c.State, Revision: c.Revision, Due: c.Due, Late: c.BreachedAt != nil,
	}}, nil
}
