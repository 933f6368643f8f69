package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// answerLost is for how long who gave a case away may ask for the answer again.
const answerLost = 5 * time.Minute

// CaseActionRequest is what somebody does with a case.
type CaseActionRequest struct {
	Key      uuid.UUID `json:"key" doc:"Made by the client for this action; sending it again with the same key acts once."`
	Action   string    `json:"action" minLength:"1" maxLength:"63" example:"approve" doc:"One of the case's allowed actions."`
	Revision int32     `json:"revision,omitempty" minimum:"1" example:"3" doc:"The revision that the decision was made upon: where the case has changed since, the answer is 409 CaseChanged. Without it, whatever is allowed now is done."`
	Note     string    `json:"note,omitempty" maxLength:"1000" example:"照片清楚,同意退款" doc:"For the case's history; some actions want one."`
	// What follows belongs to actions on after-sales cases.
	Amount        int64              `json:"amount,omitempty" minimum:"0" maximum:"10000000000" doc:"In fen." example:"9900"`
	KeepGoods     bool               `json:"keepGoods,omitempty" doc:"The customer need not send the goods back."`
	ReturnGoods   bool               `json:"returnGoods,omitempty" doc:"The customer has to send the goods back, though the policy does not ask for that."`
	Freight       aftersales.Freight `json:"freight,omitempty" enum:"Buyer,Seller,Insurance" doc:"Who pays for sending the goods back, whatever the policy says; Insurance claims it once they are back." example:"Seller"`
	FreightAmount *int64             `json:"freightAmount,omitempty" minimum:"0" maximum:"10000000" doc:"In fen: of sent, what the customer says they paid for the way back; of accept, what they are paid back of it." example:"1200"`
	Carrier       string             `json:"carrier,omitempty" maxLength:"100" example:"顺丰"`
	Tracking      string             `json:"tracking,omitempty" maxLength:"100" example:"SF1234567890"`
	Reference     string             `json:"reference,omitempty" maxLength:"100" doc:"By what it can be found again at the bank or the insurance." example:"4200001234202611230001"`
	Checked       []string           `json:"checked,omitempty" nullable:"false" maxItems:"20" doc:"The points of the inspection that hold."`
	Evidence      []uuid.UUID        `json:"evidence,omitempty" nullable:"false" maxItems:"20" doc:"Messages of the customer's, in the case's conversation or another on the Channel that you may see."`
	Owner         string             `json:"owner,omitempty" maxLength:"253" doc:"The name of the Agent who is to do what is next." example:"xiaohong"`
	// Kind of what is offered to who complained; its worth is amount.
	Compensation yingdav1.CompensationKind `json:"compensation,omitempty" enum:"Gift,Points,Coupon,Refund" doc:"What is offered to who complained; amount is its worth." example:"Coupon"`
	// What follows belongs to what is owed to customers.
	Due        *time.Time      `json:"due,omitempty" doc:"Until when it is postponed, within 30 days."`
	ReasonCode task.ReasonCode `json:"reasonCode,omitempty" enum:"Attitude,Unsolved,SlowReply,Product,Logistics,Price,Other" doc:"Why the customer was not content, of a call-back for a bad rating." example:"SlowReply"`
}

// AllowedAction is something that may be done with a case now.
type AllowedAction struct {
	Action string   `json:"action" example:"approve"`
	Needs  []string `json:"needs,omitempty" nullable:"false" doc:"The fields of the request without which it is refused." example:"note"`
	Takes  []string `json:"takes,omitempty" nullable:"false" doc:"Other fields that mean something for it." example:"amount"`
	Points []string `json:"points,omitempty" nullable:"false" doc:"What checked has to hold." example:"商品完好"`
}

type actOnCaseInput struct {
	Name string `path:"name" maxLength:"512" doc:"The name of the case, or its id with %2F for each slash." example:"complaint~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	Body CaseActionRequest
}

// kindActions is what may be done with the cases of one kind, and what does it.
type kindActions struct {
	// allowed are the actions that the principal may take now.
	allowed func(p *principal, c store.Case) []AllowedAction
	// actions are all that there are.
	actions []string
	// act takes one; it decides again, for the case may have changed.
	act func(d *Desk, ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error
}

// actionsOf says how cases of a kind are worked on; false for those that nobody works on here.
func actionsOf(kind promise.CaseKind) (kindActions, bool) {
	switch kind {
	case promise.CaseAfterSales:
		return kindActions{afterSalesActions, texts(aftersales.Actions()), (*Desk).actOnAfterSales}, true
	case promise.CaseComplaint:
		return kindActions{complaintActions, []string{actionResolve, actionFollowUp, actionCompensate, actionApprove, actionRefuse}, (*Desk).actOnComplaint}, true
	case promise.CasePromise, promise.CaseOffHours, promise.CaseCallBack, promise.CaseShipping:
		return kindActions{taskActions, texts(task.Actions()), (*Desk).actOnTask}, true
	case promise.CaseOrder:
		return kindActions{orderActions, texts(order.Actions()), (*Desk).actOnOrder}, true
	case promise.CaseEmergency:
		return kindActions{emergencyActions, []string{actionExtend, actionClose}, (*Desk).actOnEmergency}, true
	default:
		return kindActions{}, false
	}
}

func texts[T ~string](names []T) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(name)
	}
	return out
}

// allowedActions is not nil.
func allowedActions(p *principal, c store.Case) []AllowedAction {
	if how, ok := actionsOf(c.Kind); ok && c.ClosedAt == nil {
		if allowed := how.allowed(p, c); allowed != nil {
			return allowed
		}
	}
	return []AllowedAction{}
}

// NotPossibleError refuses an action that the case's state does not allow, and says which it does.
type NotPossibleError struct {
	huma.ErrorModel
	Allowed []AllowedAction `json:"allowed" nullable:"false" doc:"What may be done instead."`
}

func notPossible(reason, detail string, allowed []AllowedAction) error {
	return &NotPossibleError{*problem(http.StatusConflict, reason, detail), allowed}
}

// notPossibleResponse describes it.
func notPossibleResponse(api huma.API) map[string]*huma.Response {
	schemas := api.OpenAPI().Components.Schemas
	schema := schemas.Schema(reflect.TypeFor[NotPossibleError](), true, "NotPossible")
	schemas.SchemaFromRef(schema.Ref).Properties["type"] = typeSchema("Why, for programs.", notPossibleReasons())
	example := NotPossibleError{
		*problem(http.StatusConflict, "NotPossible", "not possible now: the case is resolved; possible is followUp"), []AllowedAction{{Action: actionFollowUp}},
	}
	return map[string]*huma.Response{strconv.Itoa(http.StatusConflict): {
		Description: "The case does not allow it now", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: example}},
	}}
}

func (d *Desk) actOnCase(ctx context.Context, p *principal, in *actOnCaseInput) (*caseOutput, error) {
	id, taking := d.idOf(in.Name), takingOf(p, in.Body)
	c, err := visibleCase(ctx, d.Store.Queries(), p, id)
	if err != nil {
		// Whoever gave it away sees what they did, where they ask again because the answer was lost.
		use, unread := d.Store.Queries().CaseStepUse(ctx, id, taking.Step)
		if unread == nil && isUseOf(taking, use) && d.Now().Sub(use.At) < answerLost {
			return d.actedOn(ctx, p, id)
		}
		return nil, err
	}
	how, ok := actionsOf(c.Kind)
	if !ok {
		return nil, notPossible("NotPossible", "nothing can be done with a case of this kind here", allowedActions(p, c))
	}
	if !slices.Contains(how.actions, in.Body.Action) {
		return nil, refusal(http.StatusUnprocessableEntity, "UnknownAction", "cases of this kind have no action %s, but %s; possible now is %s",
			in.Body.Action, strings.Join(how.actions, ", "), listed(allowedActions(p, c)))
	}
	if err := d.keyIsTheirs(ctx, id, taking); err != nil {
		return nil, err
	}
	if err := how.act(d, ctx, p, c, in.Body); err != nil {
		return nil, d.withAllowed(ctx, p, id, err)
	}
	return d.actedOn(ctx, p, id)
}

// actedOn shows a case to who has just acted on it, whoever it is for now.
func (d *Desk) actedOn(ctx context.Context, p *principal, id string) (*caseOutput, error) {
	row, err := d.Store.Queries().CaseGet(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading a case that was acted on: %w", err)
	}
	return d.caseDetail(ctx, p, store.CaseView(row))
}

// withAllowed adds to a refusal for the case's state what the case allows instead.
func (d *Desk) withAllowed(ctx context.Context, p *principal, id string, err error) error {
	model, ok := errors.AsType[*huma.ErrorModel](err)
	if !ok || model.Status != http.StatusConflict {
		return err
	}
	c, unread := visibleCase(ctx, d.Store.Queries(), p, id)
	if unread != nil {
		return unread
	}
	return &NotPossibleError{*model, allowedActions(p, c)}
}

// mayGive refuses to give a case to who is not of its group. Those who supervise see all groups, and may.
func (d *Desk) mayGive(p *principal, c store.Case, owner string) error {
	snapshot := d.Catalog.Snapshot()
	agent, known := snapshot.Agent(owner)
	switch {
	case !known:
		return refusal(http.StatusUnprocessableEntity, "NoSuchAgent", "there is no Agent named %s", owner)
	case p.supervises() || supervises(agent) || c.SkillGroup == "" || slices.Contains(snapshot.GroupsOf(owner), c.SkillGroup):
		return nil
	default:
		who := append(snapshot.Supervisors(c.SkillGroup), snapshot.WithRole(yingdav1.RoleAdmin)...)
		slices.Sort(who)
		return refusal(http.StatusForbidden, "OutsideGroup", "%s is not of the case's group %s: only supervisors and admins give it to somebody else; ask %s",
			owner, c.SkillGroup, strings.Join(slices.Compact(who), ", "))
	}
}

// takingOf is what the principal does with a case of which the product keeps the state.
func takingOf(p *principal, request CaseActionRequest) store.Taking {
	return store.Taking{Step: "act/desk/" + request.Key.String(), Action: history.Action(request.Action), Actor: p.agent.Name, Note: request.Note}
}

// keyIsTheirs refuses a key with which something else was done to the case, or by somebody else: as a repetition it would do nothing.
func (d *Desk) keyIsTheirs(ctx context.Context, id string, t store.Taking) error {
	use, err := d.Store.Queries().CaseStepUse(ctx, id, t.Step)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && isUseOf(t, use):
		return nil
	case err != nil:
		return fmt.Errorf("looking for what a key was used for: %w", err)
	default:
		return refusal(http.StatusUnprocessableEntity, "KeyUsed", "the key was used for %s by %s; take a new one for each action", use.Action, use.Actor)
	}
}

func isUseOf(t store.Taking, use db.CaseStepUseRow) bool {
	return use.Action == string(t.Action) && use.Actor == t.Actor
}

// mayNow refuses what a case does not allow now, and what lacks something. It is asked with the case locked.
func mayNow(p *principal, c store.Case, request CaseActionRequest) error {
	allowed := allowedActions(p, c)
	if request.Revision != 0 && request.Revision != c.Revision {
		return notPossible("CaseChanged", "somebody has changed the case since you looked; look again", allowed)
	}
	i := slices.IndexFunc(allowed, func(a AllowedAction) bool { return a.Action == request.Action })
	if i < 0 {
		return notPossible("NotPossible", "not possible now: the case is "+c.State+"; possible is "+listed(allowed), allowed)
	}
	if slices.Contains(allowed[i].Needs, "note") && strings.TrimSpace(request.Note) == "" {
		return refusal(http.StatusUnprocessableEntity, "NoteMissing", "%s needs a note", request.Action)
	}
	return nil
}

func listed(allowed []AllowedAction) string {
	if len(allowed) == 0 {
		return "nothing"
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = a.Action
	}
	return strings.Join(names, ", ")
}
