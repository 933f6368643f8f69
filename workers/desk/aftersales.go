package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// clockSlack is how far a day of delivery may lie ahead: somebody names the day, not the hour.
const clockSlack = 24 * time.Hour

// NewOrder is what was bought, as somebody says who opens an after-sales case.
type NewOrder struct {
	Number         string    `json:"number" minLength:"1" maxLength:"64" example:"LM20261120001"`
	Paid           int64     `json:"paid" minimum:"1" doc:"What was paid for all of it, in fen." example:"9900"`
	PaidAt         time.Time `json:"paidAt,omitzero"`
	DeliveredAt    time.Time `json:"deliveredAt,omitzero" doc:"Missing while it was not delivered: a return without a reason is then refused."`
	FreightInsured bool      `json:"freightInsured,omitempty" doc:"An insurance pays for sending the goods back."`
	Items          []NewItem `json:"items,omitempty" nullable:"false" maxItems:"50" doc:"What it is about; missing for the whole order."`
}

// NewItem is one of the things that were bought.
type NewItem struct {
	Name     string `json:"name" maxLength:"100" example:"真丝衬衫 M"`
	Category string `json:"category,omitempty" maxLength:"63" doc:"As the ServiceLevel's policy names it, such as custom or fresh." example:"custom"`
	Quantity int32  `json:"quantity,omitempty" minimum:"1" maximum:"10000" example:"1"`
}

// NewAfterSales is an application for a return, an exchange, a refund or a reissue.
type NewAfterSales struct {
	Kind        aftersales.Kind   `json:"kind" enum:"Return,Exchange,RefundOnly,Reissue"`
	Reason      aftersales.Reason `json:"reason" enum:"NoReason,Quality,WrongItem,MissingItem,Damaged,Other"`
	Order       NewOrder          `json:"order"`
	Amount      int64             `json:"amount,omitempty" minimum:"0" doc:"What the customer wants back, in fen; missing or 0 is all that was paid." example:"9900"`
	Description string            `json:"description,omitempty" maxLength:"500" example:"领口开线"`
	Contact     NewContact        `json:"contact,omitzero" doc:"By what the customer can be told where the platform lets nothing through."`
}

// NewContact is by what a customer can be told.
type NewContact struct {
	Email string `json:"email,omitempty" maxLength:"254" doc:"Used where the Brand declares a mail server, and neither a text nor a notice reaches the customer." example:"zhang@mail.example"`
}

func (n *NewAfterSales) application(source aftersales.Source) aftersales.Application {
	a := aftersales.Application{
		Kind: n.Kind, Reason: n.Reason, Amount: n.Amount, Description: n.Description, Source: source, Contact: aftersales.Contact(n.Contact),
		Order: aftersales.Order{
			Number: aftersales.OrderNumber(n.Order.Number), Paid: n.Order.Paid, Currency: "CNY", PaidAt: n.Order.PaidAt, DeliveredAt: n.Order.DeliveredAt, FreightInsured: n.Order.FreightInsured,
		},
	}
	for _, item := range n.Order.Items {
		a.Order.Items = append(a.Order.Items, aftersales.Item(item))
	}
	return a
}

// OpenAfterSalesRequest opens a case from a conversation.
type OpenAfterSalesRequest struct {
	Key uuid.UUID `json:"key" doc:"Made by the client for this case; sending it again with the same key opens one."`
	NewAfterSales
	Evidence []uuid.UUID `json:"evidence,omitempty" nullable:"false" maxItems:"20" doc:"Messages of the customer's, in the conversation or another on the Channel that you may see; the files in them come along."`
}

type openAfterSalesInput struct {
	ID   uuid.UUID `path:"id"`
	Body OpenAfterSalesRequest
}

type evidenceInput struct {
	Name string    `path:"name" maxLength:"512" example:"after-sales~0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	File uuid.UUID `path:"file"`
}

func (d *Desk) afterSalesRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "open-after-sales", Method: http.MethodPost, Path: "/api/conversations/{id}/after-sales", Tags: []string{"cases"},
		Summary:       "Open an after-sales case from a conversation, once for each key",
		Description:   "The ServiceLevel's policy decides at once: the case's detail says what is granted or why not, in words for the customer and for agents.",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422},
	}, d.openAfterSales)
	handle(d, api, huma.Operation{
		OperationID: "case-evidence", Method: http.MethodGet, Path: "/api/cases/{name}/evidence/{file}", Tags: []string{"cases"},
		Summary: "A file of a case's evidence", Responses: fileResponses(), Errors: []int{404, 409, 410},
	}, d.evidence)
}

// openAfterSales opens a case for the customer of a conversation in which the principal may act.
func (d *Desk) openAfterSales(ctx context.Context, p *principal, in *openAfterSalesInput) (*caseOutput, error) {
	id := promise.AfterSalesID(d.Names.Namespace, d.Names.Brand, uuid.NewSHA1(in.ID, fmt.Appendf(nil, "agent/%s/%s", p.agent.Name, in.Body.Key)))
	return d.openCase(ctx, p, in.ID, id, func(ctx context.Context, u *store.Unit, c db.Conversation) (_ store.Case, err error) {
		application := in.Body.application(aftersales.FromAgent)
		if application.Evidence, err = evidenceOf(ctx, u, p, said{&c.ID, c.Channel, c.ExternalID}, in.Body.Evidence); err != nil {
			return store.Case{}, err
		}
		return d.apply(ctx, u, applicant{
			id: id, application: application, conversation: &c.ID, channel: c.Channel, customer: c.ExternalID, tier: c.Tier, group: c.SkillGroup,
		}, p.agent.Name)
	})
}

// openCase opens the case of that id, unless it is open already, for the customer of a conversation in which the principal may act.
func (d *Desk) openCase(ctx context.Context, p *principal, conversation uuid.UUID, id string,
	open func(ctx context.Context, u *store.Unit, c db.Conversation) (store.Case, error),
) (*caseOutput, error) {
	var opened store.Case
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, conversation) })
		if err != nil {
			return err
		}
		// First, because the conversation may have been closed since.
		row, err := u.CaseGet(ctx, id)
		if err == nil {
			opened = store.CaseView(row)
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("looking for the case: %w", err)
		}
		if c, err = d.act(ctx, u, p, c.ID); err != nil {
			return err
		}
		opened, err = open(ctx, u, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.caseDetail(ctx, p, opened)
}

// said is where a customer has said something: in a conversation, if any, and in others on the Channel.
type said struct {
	conversation      *uuid.UUID
	channel, customer string
}

// evidenceOf are messages of a customer's, with their files: of the conversation, which who sees the case may not see otherwise, and of
// others that the principal sees. Who is asked for photos may send them once the conversation is closed, in a new one.
func evidenceOf(ctx context.Context, u *store.Unit, p *principal, s said, messages []uuid.UUID) ([]aftersales.Evidence, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	rows, err := u.DeskEvidence(ctx, db.DeskEvidenceParams{
		Ids: messages, ConversationID: s.conversation, Channel: s.channel, ExternalID: s.customer,
		AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the evidence: %w", err)
	}
	evidence := make([]aftersales.Evidence, len(rows))
	for i, row := range rows {
		evidence[i].Message = row.ID
		evidence[i].Media, _ = uuid.Parse(row.Media) // Most messages hold no file.
	}
	distinct := slices.Clone(messages)
	slices.SortFunc(distinct, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	if len(rows) != len(slices.Compact(distinct)) {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchMessage", "evidence has to be messages that the customer sent on this Channel, in a conversation that you may see")
	}
	return evidence, nil
}

// applicant is who applies for what.
type applicant struct {
	id           string
	application  aftersales.Application
	conversation *uuid.UUID
	channel      string
	customer     string
	tier         string
	// group decides on the case, unless a routing rule of the Channel names another; asked does in any case, where it is given.
	group, asked string
}

// apply opens a case for an applicant in the name of an agent, "customer" or "provider", by the terms that hold now.
func (d *Desk) apply(ctx context.Context, u *store.Unit, a applicant, by string) (store.Case, error) {
	if a.application.Order.DeliveredAt.After(u.Now.Add(clockSlack)) {
		return store.Case{}, refusal(http.StatusUnprocessableEntity, "BadDelivery", "order.deliveredAt lies in the future: leave it out while nothing was delivered")
	}
	snapshot := d.Catalog.Snapshot()
	group := cmp.Or(a.asked, snapshot.AfterSalesGroup(a.channel, a.application.Reason, a.group))
	terms, ladder := snapshot.AfterSales(a.channel, group)
	input := promise.AfterSalesInput{
		ID: a.id, Application: a.application, Terms: terms, Ladder: ladder, Conversation: a.conversation, Channel: a.channel,
		Customer: a.customer, Tier: a.tier, SkillGroup: group, StartedAt: u.Now,
	}
	switch a.application.Source {
	case aftersales.FromAgent:
		if group == a.group { // Whoever opens it sees it through, where no department does.
			input.OpenedBy = by
		}
	case aftersales.FromCustomer:
		input.Terms.Policy = reviewed(terms.Policy)
	case aftersales.FromProvider:
	}
	taking := store.Taking{Step: "apply", Action: history.Apply, Actor: by, Tell: snapshot.Supervisors(group)}
	if input.OpenedBy == "" { // Anybody of the group may take it up.
		taking.Tell = append(taking.Tell, snapshot.GroupAgents(group)...)
	}
	opened, _, err := u.OpenAfterSales(ctx, input, taking)
	return opened, refusedByRules(err, nil)
}

// reviewed is a policy by which nothing is paid back before somebody has looked: what was paid and delivered is the customer's word.
func reviewed(p aftersales.Policy) aftersales.Policy {
	p.Speeds, p.Promotions = slices.Clone(p.Speeds), slices.Clone(p.Promotions)
	for i := range p.Speeds {
		if p.Speeds[i].Speed == aftersales.Instant {
			p.Speeds[i].Speed = aftersales.OnApproval
		}
	}
	for i := range p.Promotions {
		if p.Promotions[i].Speed == aftersales.Instant {
			p.Promotions[i].Speed = aftersales.OnApproval
		}
	}
	return p
}

// refusedByRules tells what the rules of after-sales refuse: what the state does not allow with what it does.
func refusedByRules(err error, allowed []AllowedAction) error {
	var refused *aftersales.RefusalError
	if !errors.As(err, &refused) {
		return err
	}
	if slices.Contains(notPossibleReasons(), refused.Reason) {
		return notPossible(refused.Reason, refused.Message, allowed)
	}
	return problem(http.StatusUnprocessableEntity, refused.Reason, refused.Message)
}

// evidence sends a file that a case refers to, to those who see the case.
func (d *Desk) evidence(ctx context.Context, p *principal, in *evidenceInput) (*fileOutput, error) {
	c, err := visibleCase(ctx, d.Store.Queries(), p, d.idOf(in.Name))
	if err != nil {
		return nil, err
	}
	none := refusal(http.StatusNotFound, "NoSuchFile", "the case has no such file as evidence")
	if !slices.Contains(evidenceFiles(c), in.File) {
		return nil, none
	}
	row, err := d.Store.Queries().MediaGet(ctx, in.File)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, none
	}
	if err != nil {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	return d.sendFile(ctx, in.File, heldFile(row))
}

// evidenceFiles are the files that a case refers to.
func evidenceFiles(c store.Case) (files []uuid.UUID) {
	if c.Kind != promise.CaseAfterSales {
		return nil
	}
	inside, err := store.AfterSalesOf(c)
	if err != nil {
		return nil // Written by a later version: it shows them.
	}
	for _, e := range inside.Application.Evidence {
		if e.Media != uuid.Nil {
			files = append(files, e.Media)
		}
	}
	return files
}

// filesOf are what is known of a case's files that are kept.
func (d *Desk) filesOf(ctx context.Context, c store.Case) ([]FileView, error) {
	ids := evidenceFiles(c)
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := d.Store.Queries().MediaFacts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading what is known of files: %w", err)
	}
	files := make([]FileView, len(rows))
	for i, row := range rows {
		files[i] = FileView{row.ID, row.ContentType, int(row.Size)}
	}
	return files, nil
}

// afterSalesActions are what the rules allow, each with what it needs and what it takes.
func afterSalesActions(p *principal, c store.Case) []AllowedAction {
	inside, err := store.AfterSalesOf(c)
	if err != nil {
		return nil // Written by a later version: nothing is done to it here.
	}
	var allowed []AllowedAction
	for _, action := range inside.Allowed(p.agent.Name) {
		a := AllowedAction{Action: string(action)}
		switch action {
		case aftersales.ActionApprove:
			if a.Takes = []string{"note"}; inside.Decision.Remedy == aftersales.RemedyRefund {
				a.Takes = append(a.Takes, "amount")
			}
			goods := "returnGoods"
			if inside.Decision.GoodsBack {
				goods = "keepGoods"
			}
			a.Takes = append(a.Takes, goods, "freight")
		case aftersales.ActionRefuse, aftersales.ActionReject, aftersales.ActionAskEvidence, aftersales.ActionDispute, aftersales.ActionWaive:
			a.Needs = []string{"note"}
		case aftersales.ActionRefundInstead:
			a.Needs = []string{"note", "amount"}
		case aftersales.ActionAddEvidence:
			a.Needs = []string{"evidence"}
		case aftersales.ActionSent, aftersales.ActionShipped:
			a.Needs, a.Takes = []string{"tracking"}, []string{"carrier"}
			if action == aftersales.ActionSent && inside.Decision.FreightLimit() > 0 {
				a.Takes = append(a.Takes, "freightAmount")
			}
		case aftersales.ActionRefunded:
			a.Needs, a.Takes = []string{"reference"}, []string{"amount", "note"}
		case aftersales.ActionClaimed, aftersales.ActionFreightPaid, aftersales.ActionReversed:
			a.Needs = []string{"reference"}
		case aftersales.ActionAccept:
			if a.Points = inside.Decision.Inspection; len(a.Points) > 0 {
				a.Needs = []string{"checked"}
			}
			if inside.Decision.FreightLimit() > 0 {
				a.Needs = append(a.Needs, "freightAmount")
			}
		case aftersales.ActionAssign:
			a.Needs = []string{"owner"}
		case aftersales.ActionReceive, aftersales.ActionWithdraw, aftersales.ActionConfirm, aftersales.ActionUnanswered:
			a.Takes = []string{"note"}
		case aftersales.ActionRetry:
			if inside.State == aftersales.StateRefunding {
				a.Takes = []string{"amount", "note"}
			}
		case aftersales.ActionExpire, aftersales.ActionCancel:
		}
		allowed = append(allowed, a)
	}
	return allowed
}

// actOnAfterSales does something to an after-sales case under its lock. Of two agents who do it at once, the rules tell the second.
func (d *Desk) actOnAfterSales(ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error {
	act := aftersales.Act{
		ID: "desk/" + request.Key.String(), By: p.agent.Name, Action: aftersales.Action(request.Action), Note: request.Note, Amount: request.Amount,
		KeepGoods: request.KeepGoods, ReturnGoods: request.ReturnGoods, Freight: request.Freight, FreightAmount: request.FreightAmount,
		Carrier: request.Carrier, Tracking: request.Tracking, Reference: request.Reference, Checked: request.Checked, Owner: request.Owner,
	}
	if act.Action == aftersales.ActionAssign && act.Owner != "" {
		if err := d.mayGive(p, c, act.Owner); err != nil {
			return err
		}
	}
	return d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		var err error
		if act.Evidence, err = evidenceOf(ctx, u, p, said{c.Conversation, c.Channel, c.Customer}, request.Evidence); err != nil {
			return err
		}
		return d.actOnce(ctx, u, p, c.ID, act, request.Revision)
	})
}

// actOnce takes an act that was not taken before. revision is the one that the decision was made upon, 0 for whichever it is.
func (d *Desk) actOnce(ctx context.Context, u *store.Unit, p *principal, id string, act aftersales.Act, revision int32) error {
	now, fresh, err := u.ActOnAfterSales(ctx, id, act, d.Catalog.Snapshot().GroupAgents)
	if err != nil {
		return refusedByRules(err, allowedActions(p, now))
	}
	if !fresh {
		return nil
	}
	return d.unchanged(ctx, p, now, revision)
}

// unchanged refuses what was decided upon another revision than the one before this, in the unit that changed the case.
func (d *Desk) unchanged(ctx context.Context, p *principal, now store.Case, revision int32) error {
	// Locked by now: what is said of it holds, and the unit that is refused changes nothing.
	if before := now.Revision - 1; revision != 0 && before != revision {
		row, err := d.Store.Queries().CaseGet(ctx, now.ID)
		if err != nil {
			return fmt.Errorf("reading a case: %w", err)
		}
		return notPossible("CaseChanged", "somebody has changed the case since you looked; look again", allowedActions(p, store.CaseView(row)))
	}
	return nil
}
