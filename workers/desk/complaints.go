package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const maxComplaints = 200

type complaintsInput struct {
	State string `query:"state" enum:"open,escalated,resolved,followed_up" doc:"Without it: all that still ask for somebody."`
}

// ListedComplaint is a complaint in a list.
type ListedComplaint struct {
	store.Complaint
	// ChannelGone says that the Channel was deleted: the customer has to be reached in another way.
	ChannelGone bool `json:"channelGone,omitempty"`
}

type complaintsOutput struct {
	Body struct {
		Complaints []ListedComplaint `json:"complaints" nullable:"false"`
	}
}

type resolveInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Resolution string `json:"resolution" minLength:"1" maxLength:"1000" doc:"How it was settled."`
	}
}

// complaintOutput is the complaint as the desk leaves it; what its process does next shows with a frame.
type complaintOutput struct{ Body store.Complaint }

func (d *Desk) complaintRoutes(api huma.API) {
	const path = "/api/conversations/{id}/complaint"
	handle(d, api, huma.Operation{
		OperationID: "complaints", Method: http.MethodGet, Path: "/api/complaints", Summary: "Complaints of the agent's groups, the oldest first",
	}, d.complaints)
	handle(d, api, huma.Operation{
		OperationID: "complain", Method: http.MethodPost, Path: path,
		Summary: "Write down that the customer complains, once for each key; while a complaint of the conversation is under way that is answered with",
		Description: "It goes on as if the customer had said so: they are told at once that they were heard, where the platform lets that through, its ladder " +
			"begins, and it counts towards an emergency.",
		DefaultStatus: http.StatusCreated, Errors: []int{404, 409, 422},
	}, d.complain)
	handle(d, api, huma.Operation{
		OperationID: "resolve-complaint", Method: http.MethodPost, Path: path + "/resolve", Summary: "Say how a complaint was settled",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409},
	}, func(ctx context.Context, p *principal, in *resolveInput) (*complaintOutput, error) {
		return d.resolve(ctx, ofConversation(p, in.ID), anyRevision, promise.Resolve{By: p.agent.Name, Resolution: in.Body.Resolution})
	})
	handle(d, api, huma.Operation{
		OperationID: "follow-up-complaint", Method: http.MethodPost, Path: path + "/follow-up", Summary: "Say that the customer was asked again after the resolution",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409},
	}, func(ctx context.Context, p *principal, in *conversationInput) (*complaintOutput, error) {
		return d.followUp(ctx, p, ofConversation(p, in.ID), anyRevision, "")
	})
	handle(d, api, huma.Operation{
		OperationID: "compensate", Method: http.MethodPost, Path: path + "/compensation",
		Summary: "Offer something to who complained: within the limit of one's role at once, above it once somebody has approved it",
		Description: "The complaint's case has what was offered, and takes approve and refuse while an offer waits. The agent tells the customer, " +
			"once it is approved.",
		DefaultStatus: http.StatusAccepted, Errors: []int{403, 404, 409, 422},
	}, d.compensateInConversation)
	handle(d, api, huma.Operation{
		OperationID: "external-complaint", Method: http.MethodPost, Path: "/api/complaints",
		Summary:       "Write down a complaint that came from outside: it starts at the top; for supervisors",
		DefaultStatus: http.StatusCreated, Errors: []int{403, 404, 422},
	}, d.complainFromOutside)
}

func (d *Desk) complaints(ctx context.Context, p *principal, in *complaintsInput) (*complaintsOutput, error) {
	rows, err := d.Store.Queries().DeskComplaints(ctx, db.DeskComplaintsParams{
		State: in.State, AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name, MaxRows: maxComplaints,
	})
	if err != nil {
		return nil, fmt.Errorf("listing complaints: %w", err)
	}
	out := &complaintsOutput{}
	out.Body.Complaints = make([]ListedComplaint, len(rows))
	snapshot := d.Catalog.Snapshot()
	for i, row := range rows {
		// One from outside may have no Channel.
		gone := row.Complaint.Channel != "" && snapshot.Lacks(row.Complaint.Channel)
		out.Body.Complaints[i] = ListedComplaint{store.ComplaintView(row.Complaint), gone}
	}
	return out, nil
}

// resolve writes down how a complaint was settled, and tells its process, which only stops its clocks: of two agents who
// settle it at once, one is told that it was settled. Everybody who sees the conversation may: it is the group's duty.
func (d *Desk) resolve(ctx context.Context, get complaintGetter, may mayCase, how promise.Resolve) (*complaintOutput, error) {
	out := &complaintOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		complaint, err := get(ctx, u)
		if err != nil {
			return err
		}
		step := store.ComplaintStep{Taking: store.Taking{Step: "resolved", Action: history.Resolve, Actor: how.By, Note: how.Resolution}}
		if done, err := mayEnd(ctx, u, complaint.ID, step.Taking, may); done || err != nil {
			out.Body = store.ComplaintView(complaint)
			return err
		}
		_, fresh, err := u.ChangeComplaint(ctx, store.ComplaintView(complaint).Conversation, step, func(ctx context.Context) (db.Complaint, error) {
			var err error
			complaint, err = u.DeskComplaintResolve(ctx, u.Now, how.By, how.Resolution, complaint.ID)
			return complaint, err
		})
		if err != nil {
			return err
		}
		if !fresh {
			return refusal(http.StatusConflict, "AlreadyResolved", "the complaint is already resolved")
		}
		out.Body = store.ComplaintView(complaint)
		how.At = u.Now
		return u.SignalWorkflow(ctx, complaint.ID, promise.SignalResolve, how)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// followUp tells a complaint's process that the customer was asked again, and what they said, once.
func (d *Desk) followUp(ctx context.Context, p *principal, get complaintGetter, may mayCase, said string) (*complaintOutput, error) {
	out := &complaintOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		complaint, err := get(ctx, u)
		if err != nil {
			return err
		}
		asked := store.Taking{Step: store.StepAskedAgain, Action: history.FollowUp, Actor: p.agent.Name, Note: said}
		if done, err := mayEnd(ctx, u, complaint.ID, asked, may); done || err != nil {
			out.Body = store.ComplaintView(complaint)
			return err
		}
		switch {
		case promise.ComplaintState(complaint.State) == promise.ComplaintFollowedUp:
			return refusal(http.StatusConflict, "AlreadyFollowedUp", "the customer was already asked")
		case promise.ComplaintState(complaint.State) != promise.ComplaintResolved:
			return refusal(http.StatusConflict, "NotResolved", "resolve the complaint first")
		case complaint.FollowUpDue == nil:
			// Its process would ignore it: it has not heard of the resolution yet.
			return refusal(http.StatusConflict, "NotDueYet", "the resolution is still being recorded; try again")
		}
		_, fresh, err := u.NoteCase(ctx, complaint.ID, asked)
		if err != nil {
			return fmt.Errorf("writing down that a customer was asked: %w", err)
		}
		if !fresh {
			return refusal(http.StatusConflict, "AlreadyFollowedUp", "the customer was already asked")
		}
		out.Body = store.ComplaintView(complaint)
		return u.SignalWorkflow(ctx, complaint.ID, promise.SignalFollowedUp, promise.FollowedUp{By: p.agent.Name})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// complaintGetter finds a complaint that the principal sees, and locks its conversation.
type complaintGetter func(ctx context.Context, u *store.Unit) (db.Complaint, error)

// ofConversation is the newest complaint of a conversation.
func ofConversation(p *principal, id uuid.UUID) complaintGetter {
	return func(ctx context.Context, u *store.Unit) (db.Complaint, error) { return complaintOf(ctx, u, p, id) }
}

// complaintOf returns the complaint of a conversation that the principal sees, and locks the conversation.
func complaintOf(ctx context.Context, u *store.Unit, p *principal, id uuid.UUID) (db.Complaint, error) {
	c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, id) })
	if err != nil {
		return db.Complaint{}, err
	}
	complaint, err := u.ComplaintOfConversation(ctx, c.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return complaint, refusal(http.StatusNotFound, "NoComplaint", "the conversation has no complaint")
	}
	if err != nil {
		return complaint, fmt.Errorf("reading a complaint: %w", err)
	}
	return complaint, nil
}
