package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Seat is an agent whom a group may give conversations to.
type Seat struct {
	Agent string
	// Capacity is how much the agent serves at a time.
	Capacity int32
	Skills   []yingdav1.AgentSkill
}

// Route is how conversations came to a group: by a rule of a Channel, or without one.
type Route struct{ Channel, Rule string }

func (r Route) String() string { return r.Channel + "/" + r.Rule }

// Assignment is how a group gives its conversations to agents.
type Assignment struct {
	routing.Assignment

	Group string
	Seats []Seat
	// Wants are the skills that conversations want, by how they came.
	Wants map[Route][]yingdav1.WantedSkill
	// Weights are how much of an agent's capacity conversations take, by their Channel; 1 where there is none.
	Weights map[string]int32
	// Reminders are after how long agents are reminded that they have not answered, by their Channel; not at all where there is none.
	Reminders map[string]time.Duration
}

// AssignNext gives one conversation to an agent, in a transaction of its own: one that its agent let wait for too long, if
// somebody else has room for it, else the next in the group's queue. It returns false when there is none, or no seat is free.
// Call it until it returns false, after every commit that queues a conversation or frees a slot: rows that another assignment
// holds are passed over here and looked at again there.
func (s *Store) AssignNext(ctx context.Context, scope Scope, a Assignment) (assigned bool, err error) {
	err = s.Do(ctx, scope, func(ctx context.Context, u *Unit) (err error) {
		if assigned, err = u.passOn(ctx, a); assigned || err != nil {
			return err
		}
		assigned, err = u.assignHead(ctx, a)
		return err
	})
	return assigned, err
}

// assignHead gives the first conversation of the queue to an agent. One that wants skills which no free agent has is no
// reason for those behind it to wait, but for those who came by the same route: they want the same.
func (u *Unit) assignHead(ctx context.Context, a Assignment) (assigned bool, err error) {
	var without []string
	for {
		c, err := u.queueHead(ctx, a.Group, without)
		if errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("looking at the queue: %w", err)
		}
		since := c.WaitingSince
		if since == nil {
			since = c.QueuedAt // queued by an earlier version
		}
		relaxed := since != nil && u.Now.Sub(*since) >= a.RelaxSkillsAfter
		able, choosy := a.able(c, relaxed)
		assigned, err := u.seat(ctx, a, &c, able)
		if assigned || err != nil || !choosy {
			return assigned, err
		}
		without = append(without, routeOf(c).String())
	}
}

// queueHead is the first conversation of the queue that came by none of the routes.
func (u *Unit) queueHead(ctx context.Context, group string, without []string) (db.Conversation, error) {
	if len(without) == 0 {
		return u.QueueHead(ctx, group)
	}
	return u.QueueHeadWithout(ctx, group, without)
}

// passOn gives a conversation that its agent has not answered in time to another one. Nobody gets one that they had before,
// so that it is passed on at most once for each agent of the group.
func (u *Unit) passOn(ctx context.Context, a Assignment) (assigned bool, err error) {
	if a.ReassignAfter == 0 {
		return false, nil
	}
	agents, capacities := a.everybody()
	c, err := u.OverdueHead(ctx, a.Group, u.Now.Add(-a.ReassignAfter), agents, capacities)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for conversations that nobody answers: %w", err)
	}
	from, weight := *c.Agent, c.Weight
	// Before another seat is taken: two that are passed on the opposite ways would wait for each other.
	if err := u.PresenceLock(ctx, from); err != nil {
		return false, fmt.Errorf("holding a slot: %w", err)
	}
	c.PassedBy = append(c.PassedBy, from)
	// The customer has waited for long enough to have anybody.
	able, _ := a.able(c, true)
	if assigned, err = u.seat(ctx, a, &c, able.without(c.PassedBy)); !assigned || err != nil {
		return false, err
	}
	if err := u.PresenceRelease(ctx, weight, u.Now, from); err != nil {
		return false, fmt.Errorf("freeing a slot: %w", err)
	}
	u.Tell(ctx, from, message.FrameConversation, ConversationView(c))
	return true, nil
}

// seat gives a conversation to the first of the able who is free.
func (u *Unit) seat(ctx context.Context, a Assignment, c *db.Conversation, able candidates) (assigned bool, err error) {
	if a.StickyFor > 0 {
		if err := u.prefer(ctx, a, *c, able); err != nil {
			return false, err
		}
	}
	taken, err := u.SeatTake(ctx, db.SeatTakeParams{
		At: u.Now, Weight: max(a.Weights[c.Channel], 1), Strategy: string(a.Strategy),
		Agents: able.agents, Capacities: able.capacities, Ranks: able.ranks,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("choosing an agent: %w", err)
	}
	c.State, c.Agent, c.Weight, c.AssignedAt = StateAssigned, &taken.Agent, taken.Weight, &u.Now
	if c.UnansweredSince = nil; a.ReassignAfter > 0 {
		c.UnansweredSince = &u.Now
	}
	u.ask(c, a.Reminders[c.Channel])
	*c, err = u.Save(ctx, *c)
	return err == nil, err
}

// ask starts the clock of an agent's answer with the conversation that they are given. That of somebody who was another agent's
// goes on: the customer has waited since then, and only the reminder is anew.
func (u *Unit) ask(c *db.Conversation, remindAfter time.Duration) {
	if c.AskedSince == nil {
		c.AskedSince = &u.Now
	}
	if c.RemindAt = nil; remindAfter > 0 {
		remindAt := u.Now.Add(remindAfter)
		c.RemindAt = &remindAt
	}
}

// prefer puts the agent who served the customer last before all others.
func (u *Unit) prefer(ctx context.Context, a Assignment, c db.Conversation, able candidates) error {
	last, err := u.LastServedBy(ctx, c.CustomerID, u.Now.Add(-a.StickyFor))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking who served the customer last: %w", err)
	}
	if i := slices.Index(able.agents, last); i >= 0 && able.ranks[i] < rankUnskilled {
		able.ranks[i] = rankServedLast
	}
	return nil
}

const (
	// rankServedLast is before every rank that skills give.
	rankServedLast = -1
	// rankUnskilled is behind them.
	rankUnskilled = 1 << 16
)

// candidates are the agents who may have a conversation, each with their rank: the lowest first, of equals the strategy's.
type candidates struct {
	agents     []string
	capacities []int32
	ranks      []int32
}

func (c *candidates) add(agent string, capacity, rank int32) {
	c.agents, c.capacities, c.ranks = append(c.agents, agent), append(c.capacities, capacity), append(c.ranks, rank)
}

// without are the candidates but for some.
func (c *candidates) without(agents []string) (left candidates) {
	for i, agent := range c.agents {
		if !slices.Contains(agents, agent) {
			left.add(agent, c.capacities[i], c.ranks[i])
		}
	}
	return left
}

// able are those who may have the conversation, and whether that is not everybody because it wants skills. What nobody of the
// group can do is not waited for.
func (a *Assignment) able(c db.Conversation, relaxed bool) (able candidates, choosy bool) {
	var wants []yingdav1.WantedSkill
	if a.Strategy == yingdav1.StrategySkilled {
		wants = a.Wants[routeOf(c)]
	}
	if !slices.ContainsFunc(a.Seats, func(seat Seat) bool { _, can := routing.Rank(seat.Skills, wants); return can }) {
		wants = nil
	}
	for _, seat := range a.Seats {
		rank, can := routing.Rank(seat.Skills, wants)
		switch {
		case !can && !relaxed:
			choosy = true
			continue
		case !can:
			rank = rankUnskilled
		}
		able.add(seat.Agent, seat.Capacity, rank)
	}
	return able, choosy
}

// everybody are the seats as statements take them.
func (a *Assignment) everybody() (agents []string, capacities []int32) {
	for _, seat := range a.Seats {
		agents, capacities = append(agents, seat.Agent), append(capacities, seat.Capacity)
	}
	return agents, capacities
}

func routeOf(c db.Conversation) Route { return Route{c.Channel, c.RoutingRule} }

// OverdueGroups are the names of those of the groups in which an agent lets a customer wait for too long.
func (s *Store) OverdueGroups(ctx context.Context, now time.Time, groups []Assignment) ([]string, error) {
	var names []string
	var befores []time.Time
	for i := range groups {
		if after := groups[i].ReassignAfter; after > 0 {
			names, befores = append(names, groups[i].Group), append(befores, now.Add(-after))
		}
	}
	if names == nil {
		return nil, nil
	}
	overdue, err := s.Queries().OverdueGroups(ctx, names, befores)
	if err != nil {
		return nil, fmt.Errorf("looking for conversations that nobody answers: %w", err)
	}
	return overdue, nil
}
