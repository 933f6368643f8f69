package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// maxTierChanges is how many of the last are shown.
const maxTierChanges = 20

// TierChange is what somebody made of a customer.
type TierChange struct {
	// Before and After are empty for a customer like any other.
	Before string    `json:"before"`
	After  string    `json:"after"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

type tierOutput struct {
	Body struct {
		// Tier is empty for a customer like any other.
		Tier string `json:"tier"`
		// Tiers that there are.
		Tiers   []string     `json:"tiers" nullable:"false"`
		Changes []TierChange `json:"changes" nullable:"false"`
	}
}

type setTierInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Tier string `json:"tier" maxLength:"63" doc:"One that the priorities of a SkillGroup name; empty takes it away."`
	}
}

func (d *Desk) tierRoutes(api huma.API) {
	const path = "/api/conversations/{id}/tier"
	handle(d, api, huma.Operation{
		OperationID: "tier", Method: http.MethodGet, Path: path, Summary: "What sort of customer it is, and who said so, the last first", Errors: []int{404},
	}, d.tier)
	handle(d, api, huma.Operation{
		OperationID: "set-tier", Method: http.MethodPut, Path: path, Summary: "Say what sort of customer it is, from now on and in later conversations",
		Errors: []int{404, 409, 422},
	}, d.setTier)
}

func (d *Desk) tier(ctx context.Context, p *principal, in *conversationInput) (*tierOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	rows, err := queries.TierChanges(ctx, c.Channel, c.ExternalID, maxTierChanges)
	if err != nil {
		return nil, fmt.Errorf("reading the changes of a tier: %w", err)
	}
	out := &tierOutput{}
	out.Body.Tier, out.Body.Tiers = c.Tier, append([]string{}, d.Catalog.Snapshot().Tiers()...)
	out.Body.Changes = make([]TierChange, len(rows))
	for i, row := range rows {
		out.Body.Changes[i] = TierChange{row.Before, row.After, row.ChangedBy, row.ChangedAt}
	}
	return out, nil
}

// setTier gives the customer of a conversation another tier. One who waits stands from now on where that puts them.
func (d *Desk) setTier(ctx context.Context, p *principal, in *setTierInput) (*changedOutput, error) {
	snapshot := d.Catalog.Snapshot()
	if in.Body.Tier != "" && !slices.Contains(snapshot.Tiers(), in.Body.Tier) {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchTier", "no SkillGroup has a priority for this tier")
	}
	out := &changedOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		seen, err := visible(p, func() (db.Conversation, error) { return u.ConversationGet(ctx, in.ID) })
		if err != nil {
			return err
		}
		// Before its conversation, as by whoever takes in its messages.
		contact, err := u.ContactForUpdate(ctx, seen.Channel, seen.ExternalID)
		if err != nil {
			return fmt.Errorf("locking a contact: %w", err)
		}
		c, err := d.act(ctx, u, p, in.ID)
		if err != nil {
			return err
		}
		if contact.Tier != in.Body.Tier {
			if c, err = d.changeTier(ctx, u, p, c, contact.Tier, in.Body.Tier); err != nil {
				return err
			}
		}
		out.Body = store.ConversationView(c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (d *Desk) changeTier(ctx context.Context, u *store.Unit, p *principal, c db.Conversation, before, after string) (db.Conversation, error) {
	err := u.ContactTierSet(ctx, db.ContactTierSetParams{
		Channel: c.Channel, ExternalID: c.ExternalID, Before: before, After: after, ChangedBy: p.agent.Name, ChangedAt: u.Now,
	})
	if err != nil {
		return c, fmt.Errorf("changing a tier: %w", err)
	}
	c.Tier = after
	return u.Save(ctx, d.inPlace(u, c))
}
