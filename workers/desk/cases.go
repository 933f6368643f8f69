package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxHistory is how much of what happened to a case is shown, the newest.
	maxHistory = 500
	// maxCustomerCases are shown beside a conversation.
	maxCustomerCases = 20
	// nameSeparator stands in a case's name for what separates the parts of its id: a path's segment holds it as it is.
	nameSeparator = "~"
)

// CaseView is a case in a list.
type CaseView struct {
	Name string `json:"name" doc:"The id as one segment of a path." example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	store.Case
	OwnerName string `json:"ownerName,omitempty" doc:"The display name of the owner." example:"小美"`
	Overdue   bool   `json:"overdue,omitempty" doc:"What was due has not been done."`
}

// CaseEvent is something that happened to a case.
type CaseEvent struct {
	Revision  int32          `json:"revision" doc:"Counts from 1." example:"2"`
	At        time.Time      `json:"at"`
	Action    history.Action `json:"action,omitempty" example:"approve"`
	Actor     string         `json:"actor,omitempty" doc:"An Agent's name, customer or provider; missing for the product itself." example:"xiaomei"`
	ActorName string         `json:"actorName,omitempty" doc:"The display name of the Agent." example:"小美"`
	State     string         `json:"state" doc:"The state after it." example:"refunding"`
	Owner     string         `json:"owner,omitempty" doc:"The Agent who had to do the next step after it." example:"xiaohong"`
	OwnerName string         `json:"ownerName,omitempty" doc:"The display name of that Agent." example:"小红"`
	Due       *time.Time     `json:"due,omitempty" doc:"Until when the next step had to be done after it."`
	Note      string         `json:"note,omitempty" doc:"What happened, or why, in words." example:"照片清楚,同意退款"`
}

// CaseDetail is a case with its history, and what the signed-in agent may do with it now.
type CaseDetail struct {
	CaseView
	History []CaseEvent     `json:"history" nullable:"false" doc:"What happened to it, the newest 500 events, in the order in which it did."`
	Allowed []AllowedAction `json:"allowed" nullable:"false" doc:"What may be done now; empty where there is nothing to do here."`
	Address *NewAddress     `json:"address,omitempty" doc:"Where an order is to be sent to, of a case that changes it."`
	Files   []FileView      `json:"files,omitempty" nullable:"false" doc:"The files of the evidence of an after-sales case, as far as they are kept; one that still comes from the platform has no type yet."`
}

type casesInput struct {
	Kind      promise.CaseKind `query:"kind" enum:"afterSales,complaint,promise,offHours,callBack,order,shipping,emergency,review" doc:"Without it: all kinds."`
	State     string           `query:"state" maxLength:"63" doc:"One of the kind's own. Without it: all."`
	DueBefore time.Time        `query:"dueBefore" doc:"Only what is due by then. Without it: also what has no deadline now."`
	Mine      bool             `query:"mine" doc:"Only those whose next step is the signed-in agent's."`
	Ended     bool             `query:"ended" doc:"Those that have ended instead of those that are open, the last first. Nothing is due in them, nor anybody's next step."`
	Limit     int32            `query:"limit" minimum:"1" maximum:"500" default:"200"`
	After     string           `query:"after" maxLength:"1024" doc:"The next of the page before. Without it: the first page."`
}

type casesOutput struct {
	Body struct {
		Cases     []CaseView `json:"cases" nullable:"false"`
		Truncated bool       `json:"truncated,omitempty" doc:"There are more."`
		Next      string     `json:"next,omitempty" doc:"What to send as after for the page that follows; missing of the last."`
	}
}

type caseInput struct {
	Name string `path:"name" maxLength:"512" doc:"The name of the case, or its id with %2F for each slash." example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
}

type caseOutput struct{ Body CaseDetail }

func (d *Desk) caseRoutes(api huma.API) {
	const path = "/api/cases"
	handle(d, api, huma.Operation{
		OperationID: "cases", Method: http.MethodGet, Path: path, Tags: []string{"cases"},
		Summary: "Open cases of all kinds, by deadline, or those that have ended",
		Description: "An agent sees the cases of their groups, those of conversations that they serve, and those whose next step is theirs; a supervisor all. " +
			"A case whose deadline changes while somebody turns the pages may be missing, or be there twice.",
	}, d.cases)
	handle(d, api, huma.Operation{
		OperationID: "case", Method: http.MethodGet, Path: path + "/{name}", Tags: []string{"cases"},
		Summary: "A case with its history, and what may be done with it now", Errors: []int{404},
	}, d.showCase)
	handle(d, api, huma.Operation{
		OperationID: "conversation-cases", Method: http.MethodGet, Path: "/api/conversations/{id}/cases", Tags: []string{"cases"},
		Summary: "The cases of a conversation's customer, on whichever Channel: open ones first, then the newest first", Errors: []int{404},
	}, d.casesOfCustomer)
	handle(d, api, huma.Operation{
		OperationID: "act-on-case", Method: http.MethodPost, Path: path + "/{name}/actions", Tags: []string{"cases"},
		Summary: "Do something with a case, once for each key",
		Description: "What may be done is in the case's `allowed`. What may not be done now is refused with 409, and a reason that the schema of the answer " +
			"lists; the answer's `allowed` says what is possible instead. Of two agents who act at once, one is told so. An action that cases of the kind " +
			"never have is 422 `UnknownAction`.",
		DefaultStatus: http.StatusAccepted, Errors: []int{404}, Responses: notPossibleResponse(api),
	}, d.actOnCase)
}

// nameOf is a case's id without what every case of the brand has in its: <kind>/<namespace>/<brand>/<rest>.
func (d *Desk) nameOf(id string) string {
	kind, rest, ok := strings.Cut(id, "/"+d.Names.Namespace+"/"+d.Names.Brand+"/")
	if !ok {
		return id
	}
	return kind + nameSeparator + strings.ReplaceAll(rest, "/", nameSeparator)
}

// idOf is the other way round; an id is taken as well.
func (d *Desk) idOf(name string) string {
	kind, rest, ok := strings.Cut(name, nameSeparator)
	if !ok || strings.Contains(name, "/") {
		return name
	}
	return kind + "/" + d.Names.Namespace + "/" + d.Names.Brand + "/" + strings.ReplaceAll(rest, nameSeparator, "/")
}

func (d *Desk) caseView(c store.Case) CaseView {
	return CaseView{Name: d.nameOf(c.ID), Case: c, OwnerName: d.displayName(c.Owner), Overdue: c.ClosedAt == nil && c.Due != nil && c.Due.Before(d.Now())}
}

// displayName is what colleagues call an Agent; empty for who is none, or is one no more.
func (d *Desk) displayName(agent string) string {
	if a, known := d.Catalog.Snapshot().Agent(agent); known {
		return a.Spec.DisplayName
	}
	return ""
}

func (d *Desk) cases(ctx context.Context, p *principal, in *casesInput) (*casesOutput, error) {
	if err := knownState(in.Kind, in.State); err != nil {
		return nil, err
	}
	after, err := placeAt(in.After)
	if err != nil {
		return nil, err
	}
	var found []store.Case
	if in.Ended {
		found, err = d.ended(ctx, p, in, after)
	} else {
		found, err = d.open(ctx, p, in, after)
	}
	if err != nil {
		return nil, err
	}
	out := &casesOutput{}
	if out.Body.Truncated = len(found) > int(in.Limit); out.Body.Truncated {
		found = found[:in.Limit]
		out.Body.Next = placeOf(found[in.Limit-1]).token()
	}
	out.Body.Cases = make([]CaseView, len(found))
	for i, c := range found {
		out.Body.Cases[i] = d.caseView(c.Masked())
	}
	return out, nil
}

// open are the open cases of a page, and one more where there are more.
func (d *Desk) open(ctx context.Context, p *principal, in *casesInput, after *place) ([]store.Case, error) {
	params := db.DeskCasesParams{
		Kind: string(in.Kind), State: in.State, Mine: in.Mine, AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name, MaxRows: in.Limit + 1,
	}
	if !in.DueBefore.IsZero() {
		params.DueBefore = &in.DueBefore
	}
	if after != nil {
		params.AfterID, params.AfterOpened, params.AfterDue = after.id, after.since, after.due
	}
	rows, err := d.Store.Queries().DeskCases(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("listing cases: %w", err)
	}
	found := make([]store.Case, len(rows))
	for i, row := range rows {
		found[i] = store.CaseView(row.ServiceCase)
	}
	return found, nil
}

// ended is open for cases that are not.
func (d *Desk) ended(ctx context.Context, p *principal, in *casesInput, after *place) ([]store.Case, error) {
	if in.Mine || !in.DueBefore.IsZero() {
		return nil, refusal(http.StatusUnprocessableEntity, "OpenOnly", "mine and dueBefore are of open cases: leave them out, or ended")
	}
	params := db.DeskCasesEndedParams{Kind: string(in.Kind), State: in.State, AllGroups: p.supervises(), Agent: p.agent.Name, SkillGroups: p.groups, MaxRows: in.Limit + 1}
	if after != nil {
		params.AfterID, params.AfterClosed = after.id, after.since
	}
	rows, err := d.Store.Queries().DeskCasesEnded(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("listing cases that have ended: %w", err)
	}
	found := make([]store.Case, len(rows))
	for i, row := range rows {
		found[i] = store.CaseView(row.ServiceCase)
	}
	return found, nil
}

// visibleCase returns a case that the principal may see.
func visibleCase(ctx context.Context, queries *db.Queries, p *principal, id string) (store.Case, error) {
	row, err := queries.DeskCase(ctx, id, p.supervises(), p.agent.Name, p.groups)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Case{}, noCase()
	}
	if err != nil {
		return store.Case{}, fmt.Errorf("reading a case: %w", err)
	}
	return store.CaseView(row.ServiceCase), nil
}

// noCase is the answer for what is not there and for what the agent may not see.
func noCase() error {
	return refusal(http.StatusNotFound, "NoSuchCase", "there is no such case; see GET /api/cases")
}

func (d *Desk) showCase(ctx context.Context, p *principal, in *caseInput) (*caseOutput, error) {
	c, err := visibleCase(ctx, d.Store.Queries(), p, d.idOf(in.Name))
	if err != nil {
		return nil, err
	}
	return d.caseDetail(ctx, p, c)
}

func (d *Desk) caseDetail(ctx context.Context, p *principal, c store.Case) (*caseOutput, error) {
	events, err := d.Store.Queries().CaseEvents(ctx, c.ID, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("reading a case's history: %w", err)
	}
	detail := CaseDetail{CaseView: d.caseView(c), History: make([]CaseEvent, len(events)), Allowed: allowedActions(p, c)}
	for i, e := range events {
		detail.History[i] = CaseEvent{
			Revision: e.Revision, At: e.At, Action: history.Of(e.Action, e.Step), Actor: e.Actor, ActorName: d.displayName(e.Actor), State: e.State,
			Owner: e.Owner, OwnerName: d.displayName(e.Owner), Due: e.DueAt, Note: e.Note,
		}
	}
	if detail.Address, err = d.addressOf(ctx, c); err != nil {
		return nil, err
	}
	if detail.Files, err = d.filesOf(ctx, c); err != nil {
		return nil, err
	}
	return &caseOutput{detail}, nil
}

func (d *Desk) casesOfCustomer(ctx context.Context, p *principal, in *conversationInput) (*casesOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	rows, err := queries.DeskCasesOfPerson(ctx, db.DeskCasesOfPersonParams{
		CustomerID: c.CustomerID, AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name, MaxRows: maxCustomerCases + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("reading a customer's cases: %w", err)
	}
	out := &casesOutput{}
	if out.Body.Truncated = len(rows) > maxCustomerCases; out.Body.Truncated {
		rows = rows[:maxCustomerCases]
	}
	out.Body.Cases = make([]CaseView, len(rows))
	for i, row := range rows {
		out.Body.Cases[i] = d.caseView(store.CaseView(row.ServiceCase).Masked())
	}
	return out, nil
}
