package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/compensation"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	actionResolve    = "resolve"
	actionFollowUp   = "followUp"
	actionCompensate = "compensate"
	actionApprove    = "approve"
	actionRefuse     = "refuse"
	// maxCompensations of one complaint.
	maxCompensations = 20
)

// complaintActions are those of complaints. One offer at a time, so that who decides knows what on; and while one waits nothing ends over
// it, for the customer would never hear of it.
func complaintActions(p *principal, c store.Case) []AllowedAction {
	step := AllowedAction{Action: actionResolve, Needs: []string{"note"}}
	switch promise.ComplaintState(c.State) {
	case promise.ComplaintOpen, promise.ComplaintEscalated:
	case promise.ComplaintResolved:
		if c.Due == nil {
			return nil // Its process has not heard of it yet, and says until when.
		}
		step = AllowedAction{Action: actionFollowUp, Takes: []string{"note"}}
	default:
		return nil
	}
	detail, err := store.ComplaintDetailOf(c)
	if err != nil {
		return []AllowedAction{step}
	}
	pending := waiting(detail)
	if pending == nil {
		return []AllowedAction{step, {Action: actionCompensate, Needs: []string{"compensation", "amount", "note"}}}
	}
	var allowed []AllowedAction
	if pending.By != p.agent.Name {
		allowed = append(allowed, AllowedAction{Action: actionApprove, Takes: []string{"note"}})
	}
	if pending.By == p.agent.Name || p.supervises() {
		allowed = append(allowed, AllowedAction{Action: actionRefuse, Needs: []string{"note"}})
	}
	return allowed
}

// nothingWaits refuses to end a complaint over an offer on which nobody has decided.
func nothingWaits(c store.Case) error {
	detail, err := store.ComplaintDetailOf(c)
	if err != nil {
		return err
	}
	if pending := waiting(detail); pending != nil {
		return refusal(http.StatusConflict, "OfferWaits", "an offer of %s by %s waits for a decision: approve or refuse it first; who made it may refuse it, too",
			yuan(pending.Worth), pending.By)
	}
	return nil
}

// mayEnd locks the case of a complaint whose conversation is locked, and refuses to end it where it does not allow that now. done says that the
// same agent has said the same before: one whose client did not hear the answer is answered as the first time.
func mayEnd(ctx context.Context, u *store.Unit, id string, t store.Taking, may mayCase) (done bool, err error) {
	row, err := u.CaseForUpdate(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // It is older than cases: nothing can have been offered.
	}
	if err != nil {
		return false, fmt.Errorf("locking a complaint's case: %w", err)
	}
	use, err := u.CaseStepUse(ctx, id, t.Step)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("looking for what was said of a complaint: %w", err)
	}
	if err == nil && use.Actor == t.Actor && use.Note == t.Note {
		return true, nil
	}
	c := store.CaseView(row)
	if c.ClosedAt != nil && c.State != string(promise.ComplaintFollowedUp) {
		return false, refusal(http.StatusConflict, "Ended", "the complaint has lapsed: nobody asked the customer again in time, and its case is closed")
	}
	if err := nothingWaits(c); err != nil {
		return false, err
	}
	return false, may(c)
}

// mayCase refuses what a case that is locked does not allow somebody.
type mayCase func(c store.Case) error

// anyRevision lets through who looks at a conversation, not at a case: what they do is refused for the complaint's state alone.
func anyRevision(store.Case) error { return nil }

func (d *Desk) actOnComplaint(ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error {
	get := func(ctx context.Context, u *store.Unit) (db.Complaint, error) { return complaintByID(ctx, u, c) }
	may := func(now store.Case) error { return mayNow(p, now, request) }
	switch request.Action {
	case actionResolve:
		_, err := d.resolve(ctx, get, may, promise.Resolve{By: p.agent.Name, Resolution: request.Note})
		return err
	case actionFollowUp:
		_, err := d.followUp(ctx, p, get, may, request.Note)
		return err
	default:
		return d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
			if _, err := get(ctx, u); err != nil {
				return err
			}
			_, err := d.compensate(ctx, u, p, c.ID, request)
			return err
		})
	}
}

// complaintByID returns the complaint of a case that the principal sees, and locks its conversation.
func complaintByID(ctx context.Context, u *store.Unit, c store.Case) (db.Complaint, error) {
	if c.Conversation != nil {
		if _, err := u.ConversationForUpdate(ctx, *c.Conversation); err != nil {
			return db.Complaint{}, fmt.Errorf("locking a complaint's conversation: %w", err)
		}
	}
	complaint, err := u.ComplaintGet(ctx, c.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return complaint, refusal(http.StatusConflict, "NotDueYet", "the complaint is still being recorded; try again")
	}
	if err != nil {
		return complaint, fmt.Errorf("reading a complaint: %w", err)
	}
	return complaint, nil
}

// compensate offers something to who complained, or decides on what was offered. It is told to the customer by an agent, in
// words of their own, and only once it is approved. The complaint's conversation is locked.
func (d *Desk) compensate(ctx context.Context, u *store.Unit, p *principal, id string, request CaseActionRequest) (store.Case, error) {
	row, err := u.CaseForUpdate(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Case{}, refusal(http.StatusConflict, "NotDueYet", "the complaint is still being recorded; try again")
	}
	if err != nil {
		return store.Case{}, fmt.Errorf("reading a complaint's case: %w", err)
	}
	spec := d.compensationOf(row.Channel)
	taking := takingOf(p, request)
	before, err := store.ComplaintDetailOf(store.CaseView(row))
	if err != nil {
		return store.Case{}, err
	}
	if pending := waiting(before); pending != nil {
		// Who offered it waits for the decision, and need not have the conversation: there may be none.
		taking.Tell = []string{pending.By}
	}
	if request.Action == actionCompensate {
		taking.Note = fmt.Sprintf("%s %s：%s", compensation.Name(request.Compensation), yuan(request.Amount), request.Note)
		if alone, _ := compensation.Offer(spec, p.agent.Spec.Role, request.Compensation, given(before), request.Amount); !alone {
			taking.Tell = d.deciders(spec, p.agent.Name, given(before)+request.Amount)
		}
	}
	now, _, err := u.ChangeCase(ctx, id, taking, func(c *store.Case) error {
		detail, err := store.ComplaintDetailOf(*c)
		if err != nil {
			return err
		}
		// Said before what is possible: that approving, or another offer, is not would not tell why.
		if pending := waiting(detail); pending != nil {
			switch request.Action {
			case actionApprove:
				err = decidable(p, spec, detail, *pending)
			case actionCompensate:
				err = nothingWaits(*c)
			}
			if err != nil {
				return err
			}
		}
		if err := mayNow(p, *c, request); err != nil {
			return err
		}
		if request.Action != actionCompensate {
			decideOn(p, &detail, request)
		} else if err := offer(u, p, spec, &detail, request, taking.Tell); err != nil {
			return err
		}
		return c.SetDetail(detail)
	})
	return now, err
}

// offer adds an offer to the complaint: approved where its worth is within the agent's limit, else waiting for one of the deciders.
func offer(
	u *store.Unit, p *principal, spec *yingdav1.CompensationSpec, detail *promise.ComplaintDetail, request CaseActionRequest, deciders []string,
) error {
	if len(detail.Compensations) >= maxCompensations {
		return refusal(http.StatusConflict, "TooManyOffers", "%d offers are enough for one complaint", maxCompensations)
	}
	alone, err := compensation.Offer(spec, p.agent.Spec.Role, request.Compensation, given(*detail), request.Amount)
	if err != nil {
		return notOffered(err)
	}
	made := promise.Compensation{
		ID: request.Key.String(), Kind: string(request.Compensation), Worth: request.Amount, Note: request.Note,
		State: promise.CompensationWaiting, By: p.agent.Name, At: u.Now,
	}
	if alone {
		made.State = promise.CompensationApproved
	} else if len(deciders) == 0 {
		return refusal(http.StatusConflict, "NobodyDecides",
			"it takes an approval, and no other Agent has a role whose limit is %s or more: give one to an Agent, or raise complaint.compensation.limits",
			yuan(given(*detail)+request.Amount))
	}
	detail.Compensations = append(detail.Compensations, made)
	return nil
}

// decidable refuses an approval that is not theirs to give.
func decidable(p *principal, spec *yingdav1.CompensationSpec, detail promise.ComplaintDetail, pending promise.Compensation) error {
	if err := compensation.Decide(spec, p.agent.Spec.Role, p.agent.Name, pending.By, given(detail)-pending.Worth, pending.Worth); err != nil {
		return notOffered(err)
	}
	return nil
}

// decideOn refuses the offer that waits, or approves it, which is theirs to do.
func decideOn(p *principal, detail *promise.ComplaintDetail, request CaseActionRequest) {
	pending := waiting(*detail)
	pending.State, pending.DecidedBy = promise.CompensationApproved, p.agent.Name
	if request.Action == actionRefuse {
		pending.State = promise.CompensationRefused
	}
}

// waiting is the offer that waits for a decision; nil without one. It is part of the detail's array.
func waiting(detail promise.ComplaintDetail) *promise.Compensation {
	i := slices.IndexFunc(detail.Compensations, func(c promise.Compensation) bool { return c.State == promise.CompensationWaiting })
	if i < 0 {
		return nil
	}
	return &detail.Compensations[i]
}

// given is what was offered and not refused, in fen.
func given(detail promise.ComplaintDetail) (sum int64) {
	for _, c := range detail.Compensations {
		if c.State != promise.CompensationRefused {
			sum += c.Worth
		}
	}
	return sum
}

// compensationOf is what may be offered to who complained on a Channel, or on none.
func (d *Desk) compensationOf(channel string) *yingdav1.CompensationSpec {
	snapshot := d.Catalog.Snapshot()
	if c, ok := snapshot.Channel(channel); ok {
		return c.ServiceLevel.Complaint.Compensation
	}
	return snapshot.ServiceLevel().Complaint.Compensation
}

// deciders are who may approve what somebody offers that is worth that much.
func (d *Desk) deciders(spec *yingdav1.CompensationSpec, offeredBy string, worth int64) (agents []string) {
	for _, role := range compensation.Deciders(spec, worth) {
		if role != yingdav1.RoleAgent {
			agents = append(agents, d.Catalog.Snapshot().WithRole(role)...)
		}
	}
	return slices.DeleteFunc(agents, func(agent string) bool { return agent == offeredBy })
}

// notOffered says what the rules refuse as the desk does.
func notOffered(err error) error {
	var wrong *compensation.RefusedError
	if !errors.As(err, &wrong) {
		return err
	}
	status := http.StatusConflict
	if wrong.Forbidden {
		status = http.StatusForbidden
	}
	return refusal(status, wrong.Reason, "%s", wrong.Text)
}

// yuan writes fen as people read them.
func yuan(fen int64) string {
	return fmt.Sprintf("%d.%02d 元", fen/100, fen%100)
}
