package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// AgentView is an Agent as the desk shows them.
type AgentView struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Role        string   `json:"role" enum:"Agent,Supervisor,Admin"`
	Groups      []string `json:"groups" nullable:"false"`
	Capacity    int32    `json:"capacity"`
}

// MeView is the signed-in Agent with what they do now.
type MeView struct {
	AgentView
	OnDuty bool `json:"onDuty"`
	// Used is how many conversations the agent serves.
	Used int32 `json:"used"`
}

// GroupView is a SkillGroup with who waits.
type GroupView struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Open        bool   `json:"open"`
	// Waiting for an agent, and for the group's opening.
	Waiting         int64 `json:"waiting"`
	AwaitingOpening int64 `json:"awaitingOpening"`
	// OldestWaitingSince is missing when nobody waits for an agent.
	OldestWaitingSince *time.Time `json:"oldestWaitingSince,omitempty"`
	// Alert says why the queue asks for more hands: Long when more wait than the group's alertLength, Slow when somebody has
	// waited for more than 5 minutes.
	Alert string `json:"alert,omitempty" enum:"Long,Slow"`
	// CallsForHelp says that the group lacks agents and calls the signed-in agent, who is on call.
	CallsForHelp bool `json:"callsForHelp,omitempty"`
}

func agentView(p *principal) AgentView {
	return AgentView{
		Name: p.agent.Name, DisplayName: p.agent.Spec.DisplayName, Role: string(p.agent.Spec.Role),
		Groups: append([]string{}, p.groups...), Capacity: p.agent.Spec.Capacity,
	}
}

type nothing struct{}

type signInInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"512" doc:"The Agent's trial token."`
	}
}

type signInOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      MeView
}

type signOutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type meOutput struct{ Body MeView }

type dutyInput struct {
	Body struct {
		OnDuty bool `json:"onDuty" doc:"Whether the agent takes new conversations."`
	}
}

type groupsOutput struct {
	Body struct {
		Groups []GroupView `json:"groups" nullable:"false"`
	}
}

func (d *Desk) agentRoutes(api huma.API) {
	signIn := huma.Operation{
		OperationID: "sign-in", Method: http.MethodPost, Path: sessionPath, MaxBodyBytes: maxBody,
		Summary: "Sign in with a trial token; the cookie holds for 12 hours",
	}
	refusable(&signIn, reflect.TypeFor[signInInput]())
	huma.Register(api, signIn, func(ctx context.Context, in *signInInput) (*signInOutput, error) {
		out, err := d.signIn(ctx, in.Body.Token)
		return out, d.clientError(ctx, "sign-in", err)
	})
	handle(d, api, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: sessionPath, Summary: "End the session"}, d.signOut)
	handle(d, api, huma.Operation{OperationID: "me", Method: http.MethodGet, Path: "/api/me", Summary: "The signed-in agent"},
		func(ctx context.Context, p *principal, _ *nothing) (*meOutput, error) {
			me, err := d.me(ctx, p)
			return &meOutput{me}, err
		})
	handle(d, api, huma.Operation{OperationID: "duty", Method: http.MethodPut, Path: "/api/duty", Summary: "Go on or off duty"}, d.duty)
	handle(d, api, huma.Operation{OperationID: "groups", Method: http.MethodGet, Path: "/api/groups", Summary: "The agent's groups, and who waits"}, d.groups)
}

func (d *Desk) signIn(ctx context.Context, token string) (*signInOutput, error) {
	v := visitOf(ctx)
	p, err := d.tokenHolder(ctx, v.remote, token)
	var tooMany *tooManyError
	switch {
	case errors.Is(err, errNobody):
		return nil, refusal(http.StatusUnauthorized, "WrongToken", "no agent has this token")
	case errors.As(err, &tooMany):
		return nil, huma.ErrorWithHeaders(tooManyProblem(), http.Header{"Retry-After": {tooMany.seconds()}})
	case err != nil:
		return nil, err
	}
	cookie, err := d.openSession(ctx, p, v.secure)
	if err != nil {
		return nil, err
	}
	me, err := d.me(ctx, p)
	return &signInOutput{cookie, me}, err
}

func (d *Desk) signOut(ctx context.Context, p *principal, _ *nothing) (*signOutOutput, error) {
	if p.session != nil {
		if err := d.Store.Queries().SessionDelete(ctx, p.session); err != nil {
			return nil, fmt.Errorf("ending a session: %w", err)
		}
		d.hub.endWhere(func(other *principal) bool { return string(other.session) == string(p.session) }, endSignedOut)
	}
	return &signOutOutput{sessionCookie("", -1, visitOf(ctx).secure)}, nil
}

func (d *Desk) me(ctx context.Context, p *principal) (MeView, error) {
	me := MeView{AgentView: agentView(p)}
	presence, err := d.Store.Queries().PresenceGet(ctx, p.agent.Name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return me, fmt.Errorf("reading the agent's presence: %w", err)
	}
	me.OnDuty, me.Used = presence.OnDuty, presence.Used
	return me, nil
}

func (d *Desk) duty(ctx context.Context, p *principal, in *dutyInput) (*meOutput, error) {
	if _, err := d.Store.Queries().PresenceSet(ctx, p.agent.Name, in.Body.OnDuty, d.Now().UTC()); err != nil {
		return nil, fmt.Errorf("setting the agent's presence: %w", err)
	}
	if in.Body.OnDuty {
		d.drain(ctx, p.groups...)
	}
	me, err := d.me(ctx, p)
	return &meOutput{me}, err
}

// drain gives waiting conversations of the groups to free agents. The change that frees them is committed: what fails here
// the router, which looks at every queue once a second, makes good.
func (d *Desk) drain(ctx context.Context, groups ...string) {
	snapshot := d.Catalog.Snapshot()
	for _, name := range groups {
		group, ok := snapshot.Group(name)
		if !ok || !group.Open(d.Now()) {
			continue
		}
		for assigned := true; assigned; {
			var err error
			if assigned, err = d.Store.AssignNext(ctx, d.scope(), group.Assignment); err != nil {
				d.Logger.Warn("Working off a queue failed, the router goes on", "SkillGroup", name, "error", err)
				return
			}
		}
	}
}

func alertOf(group *catalog.Group, row db.DeskWaitingRow, now time.Time) string {
	health := group.Queue.Health(int(row.Queued), row.Oldest, now)
	switch {
	case health.Long:
		return "Long"
	case health.Slow:
		return "Slow"
	default:
		return ""
	}
}

// groupsOf are the names of the groups that a principal sees.
func (d *Desk) groupsOf(p *principal) []string {
	if !p.supervises() {
		return p.groups
	}
	var names []string
	for _, group := range d.Catalog.Snapshot().Groups() {
		names = append(names, group.Name)
	}
	return names
}

func (d *Desk) groups(ctx context.Context, p *principal, _ *nothing) (*groupsOutput, error) {
	names := d.groupsOf(p)
	rows, err := d.Store.Queries().DeskWaiting(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("counting who waits: %w", err)
	}
	snapshot, out := d.Catalog.Snapshot(), &groupsOutput{}
	out.Body.Groups = []GroupView{}
	for _, row := range rows {
		group, ok := snapshot.Group(row.SkillGroup)
		if !ok {
			continue
		}
		view := GroupView{
			Name: row.SkillGroup, DisplayName: group.Spec.DisplayName, Open: group.Open(d.Now()),
			Waiting: row.Queued, AwaitingOpening: row.AwaitingOpening, Alert: alertOf(group, row, d.Now()),
			CallsForHelp: group.Call != nil && p.onCallFor(group.Name),
		}
		if row.Queued > 0 {
			view.OldestWaitingSince = &row.Oldest
		}
		if view.DisplayName == "" {
			view.DisplayName = row.SkillGroup
		}
		out.Body.Groups = append(out.Body.Groups, view)
	}
	return out, nil
}
