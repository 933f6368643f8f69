package quality

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/temporal"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// lookedAtOnce are the conversations of a part of a day: few enough for what one activity may return, were all of them to be judged.
	lookedAtOnce = 1000
	// remindedAtOnce are read of what is late.
	remindedAtOnce = 100
)

// Directory knows a brand's people.
type Directory interface {
	// Agents are the names of all agents of a role: Supervisor or Admin.
	Agents(role string) []string
}

// Activities are the steps of looking back. Each does nothing when it was done before.
type Activities struct {
	Store     *store.Store
	Directory Directory
	Playbooks Playbooks
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
}

// The arguments and results of the activities. Histories hold them: fields are added, never renamed.
type (
	// Selection is the argument of Select.
	Selection struct {
		// At is a time in the day after.
		At                time.Time `json:"at"`
		TimeZone          string    `json:"timeZone"`
		Namespace         string    `json:"namespace"`
		Brand             string    `json:"brand"`
		Percent           int32     `json:"percent"`
		WaitedOverSeconds int64     `json:"waitedOverSeconds,omitempty"`
		// After is where the part before ended, and Given how many each reviewer got of those before.
		After []byte         `json:"after,omitempty"`
		Given map[string]int `json:"given,omitempty"`
	}
	// Selected is what Select chose of a part.
	Selected struct {
		Day     string   `json:"day"`
		Reviews []Review `json:"reviews,omitempty"`
		// Next is where this part ends, if there is another one; histories of when a day was one part have none.
		Next []byte `json:"next,omitempty"`
		// Given is how many each reviewer has got, of this part too.
		Given map[string]int `json:"given,omitempty"`
	}
	// Review is a conversation that is to be judged.
	Review struct {
		Conversation uuid.UUID        `json:"conversation"`
		Agent        string           `json:"agent"`
		Reasons      []quality.Reason `json:"reasons"`
		Reviewer     string           `json:"reviewer,omitempty"`
	}
	// Assignments is the argument of Assign.
	Assignments struct {
		Namespace        string   `json:"namespace"`
		Brand            string   `json:"brand"`
		Day              string   `json:"day"`
		DueWithinSeconds int64    `json:"dueWithinSeconds"`
		Reviews          []Review `json:"reviews"`
		// TimeZone is that of times in titles; empty, in what an older version began, is UTC.
		TimeZone string `json:"timeZone,omitempty"`
	}
	// Reminder is the argument of Remind.
	Reminder struct {
		// Day names the reminder: of what is late is told once for each.
		Day string `json:"day"`
	}
)

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{
		activitySelect: a.Select,
		activityAssign: a.Assign,
		activityRemind: a.Remind,
		activityReport: a.Report,
	}
}

// Select chooses what is to be judged of a part of the day before, the same however often it is asked.
func (a *Activities) Select(ctx context.Context, s Selection) (Selected, error) {
	location, err := located(s.TimeZone)
	if err != nil {
		return Selected{}, err
	}
	day := quality.DayBefore(s.At, location)
	rules := quality.Rules{
		Percent: s.Percent, Seed: s.Namespace + "/" + s.Brand + "/" + day.Name,
		Reviewers: a.Directory.Agents(promise.RoleSupervisor), Others: a.Directory.Agents(promise.RoleAdmin),
	}
	rows, err := a.Store.Queries().QualityEnded(ctx, db.QualityEndedParams{
		Day: day.Name, Since: day.Since, Until: day.Until, WaitedOver: int32(s.WaitedOverSeconds), Seed: rules.Seed, After: s.After, MaxRows: lookedAtOnce, //nolint:gosec // At most a day.
	})
	if err != nil {
		return Selected{}, fmt.Errorf("reading a day's conversations: %w", err)
	}
	ended := make([]quality.Ended, len(rows))
	for i, row := range rows {
		ended[i] = quality.Ended{ID: row.ID, Agent: row.Agent, Last: row.LastAgent, Nth: int(row.Nth), Of: int(row.DrawnOf), Slow: row.Slow, Poor: row.Poor}
	}
	selected := Selected{Day: day.Name, Given: map[string]int{}}
	maps.Copy(selected.Given, s.Given)
	for _, c := range quality.Select(ended, rules, selected.Given) {
		selected.Reviews = append(selected.Reviews, Review{c.ID, c.Agent, c.Reasons, c.Reviewer})
	}
	if len(rows) == lookedAtOnce {
		selected.Next = rows[len(rows)-1].Place
	}
	return selected, nil
}

// Assign gives conversations to those who are to judge them, each in a transaction of its own.
func (a *Activities) Assign(ctx context.Context, assignments Assignments) error {
	within := time.Duration(assignments.DueWithinSeconds) * time.Second
	location, err := located(assignments.TimeZone)
	if err != nil {
		return err
	}
	for _, r := range assignments.Reviews {
		err := a.do(ctx, func(ctx context.Context, u *store.Unit) error {
			return u.AssignReview(ctx, store.ReviewAssignment{
				ID: promise.ReviewID(assignments.Namespace, assignments.Brand, r.Conversation), Day: assignments.Day,
				Chosen: quality.Chosen{ID: r.Conversation, Agent: r.Agent, Reasons: r.Reasons, Reviewer: r.Reviewer},
				Due:    u.Now.Add(within), DueWithin: within, Location: location,
			})
		})
		// A conversation that is gone is judged by nobody.
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("giving a conversation to who judges it: %w", err)
		}
	}
	return nil
}

// Remind marks what is late and tells who has it, once for each day; of what nobody has, the supervisors. It returns how much is late.
func (a *Activities) Remind(ctx context.Context, r Reminder) (int, error) {
	queries, now := a.Store.Queries(), a.Now()
	late, err := queries.QualityOverdueCount(ctx, now)
	if err != nil {
		return 0, fmt.Errorf("counting late judgements: %w", err)
	}
	for {
		// What was told of is not among them any more, nor what was judged meanwhile.
		ids, err := queries.QualityOverdue(ctx, now, overdueStep(r.Day), remindedAtOnce)
		if err != nil {
			return 0, fmt.Errorf("looking for late judgements: %w", err)
		}
		for _, id := range ids {
			if err := a.remind(ctx, id, r.Day, now); err != nil {
				return 0, fmt.Errorf("reminding of a judgement: %w", err)
			}
		}
		if len(ids) < remindedAtOnce {
			return int(late), nil
		}
	}
}

func overdueStep(day string) string { return "overdue/" + day }

// errDone says that there is nothing to remind of any more.
var errDone = errors.New("the step was taken")

// remind marks what was late then and is still, and tells of it. What was appealed against since it was looked for is due later, and is
// not among what is looked for again.
func (a *Activities) remind(ctx context.Context, id, day string, then time.Time) error {
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		row, err := u.CaseGet(ctx, id)
		if err != nil {
			return err
		}
		taking := store.Taking{Step: overdueStep(day), Action: history.Breach, Note: history.Late}
		if row.Owner == "" {
			taking.Tell = a.Directory.Agents(promise.RoleSupervisor)
		}
		_, _, err = u.ChangeCase(ctx, id, taking, func(c *store.Case) error {
			if c.ClosedAt != nil || c.Due == nil || c.Due.After(then) {
				return errDone
			}
			if c.BreachedAt == nil {
				c.BreachedAt = c.Due
			}
			return nil
		})
		return err
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// do runs one transaction.
func (a *Activities) do(ctx context.Context, f func(ctx context.Context, u *store.Unit) error) error {
	return a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now()}, f)
}

func located(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, temporal.NewNonRetryableApplicationError("the time zone is not known", errorSettings, err)
	}
	return location, nil
}
