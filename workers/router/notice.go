package router

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// tellingFailed has the customer told otherwise of what a notice or a text was to tell of a case, once however often it is reported.
func tellingFailed(ctx context.Context, u *store.Unit, snapshot *catalog.Snapshot, kept json.RawMessage) error {
	var content message.Content
	if err := json.Unmarshal(kept, &content); err != nil {
		return nil //nolint:nilerr // It tells of no case, then.
	}
	about := content.Tells()
	if about == nil {
		return nil
	}
	row, err := u.CaseGet(ctx, about.Case)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the case that was not told of: %w", err)
	}
	n := store.Untold{
		Case: row.ID, Step: about.Step, Words: content.Text, Mails: snapshot.Brand != nil && snapshot.Brand.Spec.Mail != nil,
	}
	if group, known := snapshot.Group(row.SkillGroup); known {
		for _, seat := range group.Assignment.Seats {
			n.Tell = append(n.Tell, seat.Agent)
		}
	}
	if _, _, err := u.TellOtherwise(ctx, n); err != nil {
		return fmt.Errorf("telling otherwise what did not arrive: %w", err)
	}
	return nil
}
