package emergency

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/burst"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// Directory knows a brand's people and hours.
type Directory interface {
	// Agents are the names of all agents of a role: Supervisor or Admin.
	Agents(role string) []string
	// OnCall are the names of the agents on call for a SkillGroup, or for any where it is empty.
	OnCall(group string) []string
	// Hours is the brand's schedule; nil without one.
	Hours() *schedule.Schedule
}

// Activities are the steps of an emergency. Each is one transaction that does nothing when it was done before.
type Activities struct {
	Store     *store.Store
	Directory Directory
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
}

// The arguments and results of the activities. Histories hold them: fields are added, never renamed.
type (
	// Opening is the argument of RecordOpened.
	Opening struct {
		promise.EmergencyInput
	}
	// Scope is the argument of Check.
	Scope struct {
		Number         int64  `json:"number"`
		SkillGroup     string `json:"skillGroup,omitempty"`
		CalmForSeconds int64  `json:"calmForSeconds"`
	}
	// CheckOutcome is the result of Check.
	CheckOutcome struct {
		Calm bool `json:"calm"`
	}
	// Closing is the argument of RecordClosed. By is empty where complaints are as usual again.
	Closing struct {
		ID     string `json:"id"`
		Number int64  `json:"number"`
		By     string `json:"by,omitempty"`
	}
	// CloseOutcome is the result of RecordClosed.
	CloseOutcome struct {
		Closed bool `json:"closed"`
	}
)

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{
		activityRecordOpened: a.RecordOpened,
		activityCheck:        a.Check,
		activityRecordClosed: a.RecordClosed,
	}
}

// RecordOpened opens the case and tells those who decide and those on call.
func (a *Activities) RecordOpened(ctx context.Context, o Opening) error {
	detail, err := json.Marshal(promise.EmergencyDetail{
		Number: o.Number, SkillGroup: o.SkillGroup, ScopeName: o.ScopeName, Since: o.Since, Complaints: o.Complaints, UsualPerHour: o.UsualPerHour,
	})
	if err != nil {
		return fmt.Errorf("writing the detail: %w", err)
	}
	return a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenCase(ctx, store.Case{
			ID: o.ID, Kind: promise.CaseEmergency, State: string(promise.EmergencyOpen), Title: "投诉激增:" + o.ScopeName,
			SkillGroup: o.SkillGroup, OpenedAt: o.StartedAt, Detail: detail,
		}, store.Taking{
			Step: "open", Action: history.Open, Note: fmt.Sprintf("%d 分钟内 %d 起投诉,平时每小时约 %.1f 起", int(o.StartedAt.Sub(o.Since).Minutes()), o.Complaints, o.UsualPerHour),
			Tell: a.concerned(o.SkillGroup),
		})
		return err
	})
}

// Check says whether complaints are as usual again. Where too little is known to say so, a human has to.
func (a *Activities) Check(ctx context.Context, s Scope) (CheckOutcome, error) {
	queries, rules := a.Store.Queries(), burst.Rules{CalmFor: time.Duration(s.CalmForSeconds) * time.Second}
	seen, enough, err := store.Complaints(ctx, queries, a.Now().UTC(), a.Directory.Hours(), rules)
	if err != nil || !enough {
		return CheckOutcome{}, err
	}
	lasting, err := queries.EmergenciesLasting(ctx)
	if err != nil {
		return CheckOutcome{}, fmt.Errorf("reading the emergencies that last: %w", err)
	}
	return CheckOutcome{Calm: burst.Of(seen, s.SkillGroup, store.LastingExcept(lasting, s.Number)).Calm(rules)}, nil
}

// RecordClosed ends the emergency and writes its report, unless somebody has said meanwhile that it is to last on. One that a
// human has ended was over then.
func (a *Activities) RecordClosed(ctx context.Context, c Closing) (outcome CloseOutcome, err error) {
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		row, err := u.EmergencyGet(ctx, c.Number)
		if err != nil {
			return fmt.Errorf("reading an emergency: %w", err)
		}
		until := u.Now
		if row.EndedAt != nil {
			until = *row.EndedAt
		}
		outcome.Closed = true // Also where it was taken before.
		_, fresh, err := u.ChangeCase(ctx, c.ID, store.Taking{
			Step: "closed", Action: history.End, Note: ended(c.By), Tell: a.concerned(row.SkillGroup),
		}, func(changed *store.Case) error {
			var detail promise.EmergencyDetail
			if err := json.Unmarshal(changed.Detail, &detail); err != nil {
				return fmt.Errorf("reading the detail: %w", err)
			}
			if c.By == "" && changed.State == string(promise.EmergencyOpen) && detail.HeldUntil.After(u.Now) {
				return errHeld
			}
			detail.Report, err = report(ctx, u, detail, until)
			if err != nil {
				return err
			}
			changed.State, changed.ClosedAt, changed.Due = string(promise.EmergencyClosed), &until, nil
			changed.Detail, err = json.Marshal(detail)
			return err
		})
		if err != nil || !fresh {
			return err
		}
		if err := u.EmergencyEnd(ctx, until, c.Number); err != nil {
			return fmt.Errorf("ending an emergency: %w", err)
		}
		if c.By != "" {
			return nil
		}
		return u.EmergencyCalm(ctx, until, c.Number)
	})
	if isHeld(err) {
		return CloseOutcome{}, nil
	}
	return outcome, err
}

// ended says why an emergency has ended; who has said so is in the event before.
func ended(by string) string {
	if by == "" {
		return "投诉恢复正常，报告已生成"
	}
	return "报告已生成"
}

// do runs one transaction.
func (a *Activities) do(ctx context.Context, f func(ctx context.Context, u *store.Unit) error) error {
	return a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now().UTC()}, f)
}

// concerned are who hears of an emergency: who decides, and who is on call.
func (a *Activities) concerned(group string) []string {
	tell := append(a.Directory.Agents(promise.RoleSupervisor), a.Directory.Agents(promise.RoleAdmin)...)
	return append(tell, a.Directory.OnCall(group)...)
}
