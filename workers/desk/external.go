package desk

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

type compensationInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key    uuid.UUID                 `json:"key" doc:"Made by the client for this offer; sending it again with the same key offers once."`
		Kind   yingdav1.CompensationKind `json:"kind" enum:"Gift,Points,Coupon,Refund"`
		Amount int64                     `json:"amount" minimum:"1" maximum:"10000000" doc:"What it is worth, in fen." example:"2000"`
		Note   string                    `json:"note" minLength:"1" maxLength:"1000" example:"补偿 20 元优惠券"`
	}
}

type externalInput struct {
	Body struct {
		Key          uuid.UUID               `json:"key" doc:"Made by the client for this complaint; sending it again with the same key makes one."`
		Source       promise.ComplaintSource `json:"source" enum:"Platform,12315,Elsewhere"`
		Reference    string                  `json:"reference,omitempty" maxLength:"100" doc:"By what the source knows it."`
		What         string                  `json:"what" minLength:"1" maxLength:"2000" pattern:"[^\\s\\p{Z}]" patternDescription:"more than space" doc:"What it says."`
		Conversation *uuid.UUID              `json:"conversation,omitempty" doc:"The conversation that it is about, if there is one."`
		SkillGroup   string                  `json:"skillGroup,omitempty" maxLength:"253" doc:"Who sees to it; without it the group of the conversation, or the Brand's default."`
	}
}

func (d *Desk) compensateInConversation(ctx context.Context, p *principal, in *compensationInput) (*owedOutput, error) {
	out := &owedOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		complaint, err := complaintOf(ctx, u, p, in.ID)
		if err != nil {
			return err
		}
		now, err := d.compensate(ctx, u, p, complaint.ID, CaseActionRequest{
			Key: in.Body.Key, Action: actionCompensate, Compensation: in.Body.Kind, Amount: in.Body.Amount, Note: in.Body.Note,
		})
		out.Body = d.caseView(now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// complainFromOutside starts the process of a complaint that came from outside, which calls the admins until it is resolved. Its row and its case are there at
// once.
func (d *Desk) complainFromOutside(ctx context.Context, p *principal, in *externalInput) (*owedOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	out := &owedOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		snapshot := d.Catalog.Snapshot()
		input := promise.ComplaintInput{
			ID:     promise.ExternalComplaintID(d.Names.Namespace, d.Names.Brand, in.Body.Key),
			Source: in.Body.Source, SkillGroup: cmp.Or(in.Body.SkillGroup, snapshot.DefaultGroup()), StartedAt: u.Now,
		}
		level := snapshot.ServiceLevel()
		if in.Body.Conversation != nil {
			c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, *in.Body.Conversation) })
			if err != nil {
				return err
			}
			input.Conversation, input.Channel, input.Customer = c.ID, c.Channel, c.ExternalID
			input.SkillGroup = cmp.Or(in.Body.SkillGroup, c.SkillGroup)
			level = d.channelOf(c).ServiceLevel
		}
		if _, known := snapshot.Group(input.SkillGroup); !known {
			return refusal(http.StatusUnprocessableEntity, "NoSuchGroup", "there is no SkillGroup named %q: name in skillGroup one that sees to it", input.SkillGroup)
		}
		ladder, err := servicelevel.Ladder(level.Complaint)
		if err != nil {
			return fmt.Errorf("reading the complaint ladder: %w", err)
		}
		input.Ladder, input.FollowUpWithinDays = fromTheTop(ladder), servicelevel.FollowUpDays(level.Complaint)
		input.FollowUpRemindSeconds = servicelevel.FollowUpRemindSeconds(level.FollowUp)
		now, _, err := u.OpenComplaint(ctx, input, promise.ComplaintDetail{
			Source: in.Body.Source, Reference: in.Body.Reference, What: in.Body.What,
		}, store.Taking{
			Step: "open", Action: history.Open, Actor: p.agent.Name, Note: string(in.Body.Source) + " " + in.Body.Reference,
			Tell: snapshot.WithRole(promise.RoleSupervisor),
		})
		out.Body = d.caseView(now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fromTheTop calls the admins at once, and again whenever a complaint of the brand's own would have climbed: from then on it is late.
func fromTheTop(ladder []servicelevel.Rung) []promise.Rung {
	rungs := append([]promise.Rung{{}}, store.Rungs(ladder)...)
	for i := range rungs {
		rungs[i].Notify = promise.RoleAdmin
	}
	return rungs
}
