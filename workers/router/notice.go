package router

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// noticeFailed has the customer told otherwise of what a notice was to tell, once however often it is reported.
func noticeFailed(ctx context.Context, u *store.Unit, snapshot *catalog.Snapshot, kept json.RawMessage) error {
	var content message.Content
	if err := json.Unmarshal(kept, &content); err != nil || content.Notice == nil || content.Notice.Case == "" {
		return nil //nolint:nilerr // No notice, then.
	}
	row, err := u.CaseGet(ctx, content.Notice.Case)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the case of a notice: %w", err)
	}
	n := store.Untold{
		Case: row.ID, Step: content.Notice.Step, Words: content.Text, Mails: snapshot.Brand != nil && snapshot.Brand.Spec.Mail != nil,
	}
	if group, known := snapshot.Group(row.SkillGroup); known {
		for _, seat := range group.Assignment.Seats {
			n.Tell = append(n.Tell, seat.Agent)
		}
	}
	if _, _, err := u.TellOtherwise(ctx, n); err != nil {
		return fmt.Errorf("telling otherwise what a notice did not: %w", err)
	}
	return nil
}
