package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const maxComplaints = 200

type complaintsInput struct {
	State string `query:"state" enum:"open,escalated,resolved,followed_up" doc:"Without it: all that still ask for somebody."`
}

type complaintsOutput struct {
	Body struct {
		Complaints []store.Complaint `json:"complaints" nullable:"false"`
	}
}

type resolveInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Resolution string `json:"resolution" minLength:"1" maxLength:"1000" doc:"How it was settled."`
	}
}

// complaintOutput is the complaint as it was: what was asked for shows when its process has done it, with a frame.
type complaintOutput struct{ Body store.Complaint }

func (d *Desk) complaintRoutes(api huma.API) {
	const path = "/api/conversations/{id}/complaint/"
	handle(d, api, huma.Operation{
		OperationID: "complaints", Method: http.MethodGet, Path: "/api/complaints", Summary: "Complaints of the agent's groups, the oldest first",
	}, d.complaints)
	handle(d, api, huma.Operation{
		OperationID: "resolve-complaint", Method: http.MethodPost, Path: path + "resolve", Summary: "Say how a complaint was settled",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409},
	}, func(ctx context.Context, p *principal, in *resolveInput) (*complaintOutput, error) {
		return d.signal(ctx, p, in.ID, promise.SignalResolve, promise.Resolve{By: p.agent.Name, Resolution: in.Body.Resolution})
	})
	handle(d, api, huma.Operation{
		OperationID: "follow-up-complaint", Method: http.MethodPost, Path: path + "follow-up", Summary: "Say that the customer was asked again after the resolution",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409},
	}, func(ctx context.Context, p *principal, in *conversationInput) (*complaintOutput, error) {
		return d.signal(ctx, p, in.ID, promise.SignalFollowedUp, promise.FollowedUp{By: p.agent.Name})
	})
}

func (d *Desk) complaints(ctx context.Context, p *principal, in *complaintsInput) (*complaintsOutput, error) {
	rows, err := d.Store.Queries().DeskComplaints(ctx, in.State, p.supervises(), p.groups, maxComplaints)
	if err != nil {
		return nil, fmt.Errorf("listing complaints: %w", err)
	}
	out := &complaintsOutput{}
	out.Body.Complaints = make([]store.Complaint, len(rows))
	for i, row := range rows {
		out.Body.Complaints[i] = store.ComplaintView(row)
	}
	return out, nil
}

// signal tells a complaint's process what an agent did. Everybody who sees the conversation may: it is the group's duty.
func (d *Desk) signal(ctx context.Context, p *principal, id uuid.UUID, name string, argument any) (*complaintOutput, error) {
	out := &complaintOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, id) })
		if err != nil {
			return err
		}
		complaint, err := u.ComplaintOfConversation(ctx, c.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return refusal(http.StatusNotFound, "NoComplaint", "the conversation has no complaint")
		}
		if err != nil {
			return fmt.Errorf("reading a complaint: %w", err)
		}
		if err := allowed(promise.ComplaintState(complaint.State), name); err != nil {
			return err
		}
		out.Body = store.ComplaintView(complaint)
		return u.SignalWorkflow(ctx, complaint.ID, name, argument)
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing.
	}
	return out, nil
}

// allowed refuses a signal that its process would ignore.
func allowed(state promise.ComplaintState, signal string) error {
	resolved := state == promise.ComplaintResolved || state == promise.ComplaintFollowedUp
	switch {
	case signal == promise.SignalResolve && resolved:
		return refusal(http.StatusConflict, "AlreadyResolved", "the complaint is already resolved")
	case signal == promise.SignalFollowedUp && state == promise.ComplaintFollowedUp:
		return refusal(http.StatusConflict, "AlreadyFollowedUp", "the customer was already asked")
	case signal == promise.SignalFollowedUp && !resolved:
		return refusal(http.StatusConflict, "NotResolved", "resolve the complaint first")
	default:
		return nil
	}
}
