package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// providerPath is under what the Brand's provider calls the desk. No agent's token opens it, and no session.
const providerPath = "/api/provider/"

// ProviderCase is what the Brand's provider sees of a case.
type ProviderCase struct {
	Name     string     `json:"name" example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	State    string     `json:"state" example:"returning"`
	Order    string     `json:"order" doc:"The order's number." example:"LM20261120001"`
	Revision int32      `json:"revision" example:"2"`
	Due      *time.Time `json:"due,omitempty" doc:"Until when the next step must be done."`
	Reason   string     `json:"reason,omitempty" doc:"What the policy says, in words for the customer."`
	Allowed  []string   `json:"allowed" nullable:"false" doc:"What the provider may say of it now." example:"receive"`
}

type providerOpenInput struct {
	Body struct {
		Key        string `json:"key" minLength:"1" maxLength:"80" example:"erp-rma-20261123-17" doc:"The provider's own name for it: sending it again opens one case."`
		Channel    string `json:"channel" minLength:"1" maxLength:"253" example:"shop"`
		Customer   string `json:"customer" minLength:"1" maxLength:"128" doc:"The customer's id on the Channel, who has written there before."`
		SkillGroup string `json:"skillGroup,omitempty" maxLength:"253" doc:"The group that decides on it. Default: the one that a routing rule of the Channel names for the reason, else the Brand's default."`
		NewAfterSales
	}
}

type providerActInput struct {
	Name string `path:"name" maxLength:"512" example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	Body struct {
		Key       string            `json:"key" minLength:"1" maxLength:"80" example:"erp-17-received" doc:"The provider's own name for it: sending it again acts once."`
		Case      string            `json:"case" doc:"The name of the case, as in the path: it is signed with the rest." example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
		Action    aftersales.Action `json:"action" enum:"receive,refunded,shipped,claimed,freightPaid,reversed"`
		Note      string            `json:"note,omitempty" maxLength:"500"`
		Carrier   string            `json:"carrier,omitempty" maxLength:"100" example:"顺丰"`
		Tracking  string            `json:"tracking,omitempty" maxLength:"100" doc:"Wanted by shipped." example:"SF1234567890"`
		Reference string            `json:"reference,omitempty" maxLength:"100" doc:"Wanted by refunded, claimed, freightPaid and reversed." example:"4200001234202611230001"`
	}
}

type providerOutput struct{ Body ProviderCase }

func (d *Desk) providerRoutes(api huma.API) {
	providerRoute(d, api, huma.Operation{
		OperationID: "provider-open-case", Method: http.MethodPost, Path: providerPath + "cases",
		Summary: "Open an after-sales case as the Brand's provider, once for each key",
	}, d.providerOpens)
	providerRoute(d, api, huma.Operation{
		OperationID: "provider-act-on-case", Method: http.MethodPost, Path: providerPath + "cases/{name}/actions",
		Summary: "Say what happened to goods and money, once for each key", Errors: []int{404}, Responses: notPossibleResponse(api),
	}, d.providerActs)
	d.shippingRoutes(api)
}

// providerRoute is a route of the provider's: who asks is known by the signature of the body.
func providerRoute[In, Out any](d *Desk, api huma.API, operation huma.Operation, do func(context.Context, *In) (*Out, error)) {
	operation.Tags, operation.MaxBodyBytes, operation.DefaultStatus = []string{"provider"}, maxBody, http.StatusAccepted
	operation.Security = []map[string][]string{{"providerSignature": {}}}
	refusable(&operation, reflect.TypeFor[In]())
	huma.Register(api, operation, func(ctx context.Context, in *In) (*Out, error) {
		out, err := do(ctx, in)
		return out, d.clientError(ctx, operation.OperationID, err)
	})
}

// isProviders says whether a path is the provider's.
func isProviders(path string) bool { return strings.HasPrefix(path, providerPath) }

// signedByProvider lets only what the provider has signed go on to the routes, which read the body again.
func (d *Desk) signedByProvider(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		writeProblem(w, problem(http.StatusRequestEntityTooLarge, "BodyTooLarge", fmt.Sprintf("a body has at most %d bytes", maxBody)))
		return false
	case err != nil:
		writeProblem(w, problem(http.StatusRequestTimeout, "TryAgain", "the body did not come to its end; send it again"))
		return false
	}
	key, err := d.providerKey()
	if err == nil && oncall.Verify(key, body, r.Header.Get(oncall.HeaderSignature), d.Now()) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return true
	}
	if err != nil {
		d.Logger.Warn("The provider's calls cannot be verified", "error", err)
	}
	if err := d.failed(r.RemoteAddr); !errors.Is(err, errNobody) {
		d.refuse(w, r, err)
		return false
	}
	writeProblem(w, problem(http.StatusUnauthorized, "WrongSignature",
		"sign the body as spec.provider.secretRef of the Brand says, in the header "+oncall.HeaderSignature+", with a clock that is right within 5 minutes"))
	return false
}

// providerKey is what the provider signs by; nobody's signature is right where the Brand has none.
func (d *Desk) providerKey() ([]byte, error) {
	if brand := d.Catalog.Snapshot().Brand; brand == nil || brand.Spec.Provider == nil {
		return nil, errors.New("the Brand declares no provider")
	}
	return d.Provider.Key()
}

func (d *Desk) providerOpens(ctx context.Context, in *providerOpenInput) (*providerOutput, error) {
	snapshot := d.Catalog.Snapshot()
	if _, known := snapshot.Group(in.Body.SkillGroup); in.Body.SkillGroup != "" && !known {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchGroup", "there is no SkillGroup of this name")
	}
	if _, known := snapshot.Channel(in.Body.Channel); !known {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchChannel", "there is no Channel of this name")
	}
	id := promise.AfterSalesID(d.Names.Namespace, d.Names.Brand, uuid.NewSHA1(uuid.Nil, []byte(providerPath+in.Body.Key)))
	var opened store.Case
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		contact, err := u.ContactForUpdate(ctx, in.Body.Channel, in.Body.Customer)
		if errors.Is(err, pgx.ErrNoRows) {
			return refusal(http.StatusUnprocessableEntity, "NoSuchCustomer", "nobody of this id has written on the Channel")
		}
		if err != nil {
			return fmt.Errorf("reading a contact: %w", err)
		}
		opened, err = d.apply(ctx, u, applicant{
			id: id, application: in.Body.application(aftersales.FromProvider), channel: contact.Channel, customer: contact.ExternalID, tier: contact.Tier,
			group: snapshot.DefaultGroup(), asked: in.Body.SkillGroup,
		}, aftersales.ByProvider)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.providerView(opened)
}

func (d *Desk) providerActs(ctx context.Context, in *providerActInput) (*providerOutput, error) {
	if in.Body.Case != in.Name {
		return nil, refusal(http.StatusUnprocessableEntity, "OtherCase", "case is not the name in the path")
	}
	act := aftersales.Act{
		ID: "provider/" + in.Body.Key, By: aftersales.ByProvider, Action: in.Body.Action, Note: in.Body.Note,
		Carrier: in.Body.Carrier, Tracking: in.Body.Tracking, Reference: in.Body.Reference,
	}
	id := d.idOf(in.Name)
	if err := d.keyIsTheirs(ctx, id, store.Taking{Step: "act/" + act.ID, Action: history.Action(act.Action), Actor: act.By}); err != nil {
		return nil, err
	}
	var now store.Case
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		row, err := u.CaseGet(ctx, id)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && row.Kind != string(promise.CaseAfterSales) {
			return refusal(http.StatusNotFound, "NoSuchCase", "there is no after-sales case of this name")
		}
		if err != nil {
			return fmt.Errorf("reading a case: %w", err)
		}
		if now, _, err = u.ActOnAfterSales(ctx, id, act, d.Catalog.Snapshot().GroupAgents); err == nil {
			return nil
		}
		view, viewErr := d.providerView(now)
		if viewErr != nil {
			return err // Nothing was read of the case.
		}
		allowed := make([]AllowedAction, len(view.Body.Allowed))
		for i, action := range view.Body.Allowed {
			allowed[i] = AllowedAction{Action: action}
		}
		return refusedByRules(err, allowed)
	})
	if err != nil {
		return nil, err
	}
	return d.providerView(now)
}

func (d *Desk) providerView(c store.Case) (*providerOutput, error) {
	inside, err := store.AfterSalesOf(c)
	if err != nil {
		return nil, err
	}
	view := ProviderCase{
		Name: d.nameOf(c.ID), State: c.State, Order: inside.Application.Order.Number, Revision: c.Revision, Due: c.Due, Reason: inside.Decision.Customer, Allowed: []string{},
	}
	for _, action := range inside.Allowed(aftersales.ByProvider) {
		view.Allowed = append(view.Allowed, string(action))
	}
	slices.Sort(view.Allowed)
	return &providerOutput{view}, nil
}
