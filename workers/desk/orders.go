package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/provider"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

type orderInput struct {
	ID     uuid.UUID `path:"id"`
	Number string    `query:"number" required:"true" minLength:"1" maxLength:"64" example:"LM20261120001"`
}

type orderOutput struct{ Body provider.Order }

type changeOrderInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key       uuid.UUID            `json:"key" doc:"Made by the client for this; sending it again with the same key asks once."`
		Order     string               `json:"order" minLength:"1" maxLength:"64" doc:"The order's number." example:"LM20261120001"`
		Operation aftersales.Operation `json:"operation" enum:"address,cancel"`
		Address   *NewAddress          `json:"address,omitempty" doc:"The new one, of a change of it."`
		Note      string               `json:"note,omitempty" maxLength:"200" example:"客户拍错了" doc:"For the case's history; no address."`
	}
}

// NewAddress is where an order is to be sent to.
type NewAddress struct {
	Recipient string `json:"recipient" minLength:"1" maxLength:"50" example:"王女士"`
	Phone     string `json:"phone" minLength:"1" maxLength:"30" example:"13800000000"`
	Address   string `json:"address" minLength:"1" maxLength:"200" example:"上海市徐汇区漕溪北路 1 号"`
}

func (d *Desk) orderRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "order", Method: http.MethodGet, Path: "/api/conversations/{id}/order", Tags: []string{"orders"},
		Summary: "What the Brand's provider knows of an order", Errors: []int{404, 409, 422, 502},
	}, d.order)
	handle(d, api, huma.Operation{
		OperationID: "change-order", Method: http.MethodPost, Path: "/api/conversations/{id}/order-changes", Tags: []string{"orders"},
		Summary: "Have an order sent to another address, or cancelled, once for each key",
		Description: "The Brand's provider does it, or somebody by hand where there is none. The case says what became of it; the customer is told. " +
			"The address is kept with the case alone.",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422},
	}, d.changeOrder)
}

// order asks the provider about an order, for whoever may see the conversation.
func (d *Desk) order(ctx context.Context, p *principal, in *orderInput) (*orderOutput, error) {
	if _, err := visible(p, func() (db.Conversation, error) { return d.Store.Queries().ConversationGet(ctx, in.ID) }); err != nil {
		return nil, err
	}
	program := provider.Of(d.Catalog.Snapshot().Brand, d.ProviderHosts, d.Provider, d.Now)
	if program == nil {
		return nil, refusal(http.StatusConflict, "NoProvider", "the Brand declares no provider that may be called: look the order up in the shop's own system")
	}
	found, err := program.Look(ctx, in.Number)
	switch {
	case errors.Is(err, provider.ErrUnknownOrder):
		d.Metrics.orders.WithLabelValues(orderUnknown).Inc()
		return nil, refusal(http.StatusNotFound, "NoSuchOrder", "the shop's own system knows no order of this number")
	case err != nil:
		d.Metrics.orders.WithLabelValues(orderFailed).Inc()
		d.Logger.Warn("The provider could not be asked about an order", "error", err)
		return nil, refusal(http.StatusBadGateway, "ProviderFailed", "the shop's own system gives no answer; try again, or look the order up there")
	}
	d.Metrics.orders.WithLabelValues(orderFound).Inc()
	return &orderOutput{found}, nil
}

// changeOrder opens the case of what the customer of a conversation wants done to an order.
func (d *Desk) changeOrder(ctx context.Context, p *principal, in *changeOrderInput) (*caseOutput, error) {
	id := promise.OrderID(d.Names.Namespace, d.Names.Brand, uuid.NewSHA1(in.ID, fmt.Appendf(nil, "agent/%s/%s", p.agent.Name, in.Body.Key)))
	return d.openCase(ctx, p, in.ID, id, func(ctx context.Context, u *store.Unit, c db.Conversation) (store.Case, error) {
		shipping, wrong := servicelevel.CompileShipping(d.channelOf(c).ServiceLevel.Shipping)
		if err := wrong.ToAggregate(); err != nil {
			return store.Case{}, fmt.Errorf("reading how soon orders are changed: %w", err)
		}
		opened, _, err := u.OpenOrder(ctx, promise.OrderInput{
			ID: id, Order: aftersales.OrderNumber(in.Body.Order), Operation: in.Body.Operation, Conversation: c.ID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup,
			OpenedBy: p.agent.Name, StartedAt: u.Now, Due: u.Now.Add(shipping.ChangesWithin), TimeZone: d.zoneOf(c.SkillGroup),
			RemindBeforeSeconds: int64(shipping.RemindBefore / time.Second), Ladder: store.Rungs(shipping.Ladder),
		}, (*order.Address)(in.Body.Address), store.Taking{Step: "open", Action: history.Open, Actor: p.agent.Name, Note: in.Body.Note})
		return opened, refusedByRules(err, []AllowedAction{})
	})
}

// zoneOf is where a group's days begin and end, by name.
func (d *Desk) zoneOf(group string) string {
	if _, zone, err := d.hoursOf(group); err == nil {
		return zone.String()
	}
	return schedule.DefaultTimeZone
}

// orderActions are those of what somebody wants done to an order.
func orderActions(_ *principal, c store.Case) []AllowedAction {
	inside, err := store.OrderOf(c)
	if err != nil {
		return nil // Written by a later version: nothing is done to it here.
	}
	var allowed []AllowedAction
	for _, action := range inside.Allowed() {
		a := AllowedAction{Action: string(action)}
		switch action {
		case order.ActionDone:
			a.Takes = []string{"reference", "note"}
		case order.ActionRefuse:
			a.Needs = []string{"note"}
		default:
			a.Needs = []string{"owner"}
		}
		allowed = append(allowed, a)
	}
	return allowed
}

// actOnOrder does something to such a case under its lock. Of two agents who do it at once, the rules tell the second.
func (d *Desk) actOnOrder(ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error {
	if request.Owner != "" {
		if err := d.mayGive(p, c, request.Owner); err != nil {
			return err
		}
	}
	act := aftersales.Act{
		ID: "desk/" + request.Key.String(), By: p.agent.Name, Action: aftersales.Action(request.Action), Note: request.Note, Reference: request.Reference,
		Owner: request.Owner,
	}
	return d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		now, fresh, err := u.ActOnOrder(ctx, c.ID, act)
		if err != nil {
			return refusedByRules(err, allowedActions(p, now))
		}
		if !fresh {
			return nil
		}
		return d.unchanged(ctx, p, now, request.Revision)
	})
}

// addressOf is where an order is to be sent to; nil for a case that changes no address.
func (d *Desk) addressOf(ctx context.Context, c store.Case) (*NewAddress, error) {
	if c.Kind != promise.CaseOrder {
		return nil, nil //nolint:nilnil // Most cases have none.
	}
	row, err := d.Store.Queries().CaseAddressGet(ctx, c.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // A cancellation has none.
	}
	if err != nil {
		return nil, fmt.Errorf("reading an address: %w", err)
	}
	return &NewAddress{Recipient: row.Recipient, Phone: row.Phone, Address: row.Address}, nil
}
