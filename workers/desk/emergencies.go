package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	actionClose  = "close"
	actionExtend = "extend"
	// extendedBy is for how long an emergency lasts on at least that somebody extends.
	extendedBy = 2 * time.Hour
)

// EmergencyView is an emergency that lasts, as every agent sees it.
type EmergencyView struct {
	Case       string `json:"case" doc:"The name of its case, which supervisors and the group's agents see." example:"emergency~7"`
	SkillGroup string `json:"skillGroup,omitempty" doc:"The SkillGroup that is concerned; missing for the whole brand."`
	// ScopeName is what people call it.
	ScopeName string    `json:"scopeName" doc:"The display name of the group, or of the brand." example:"售后组"`
	StartedAt time.Time `json:"startedAt"`
}

type emergenciesOutput struct {
	Body struct {
		Emergencies []EmergencyView `json:"emergencies" nullable:"false"`
	}
}

func (d *Desk) emergencyRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "emergencies", Method: http.MethodGet, Path: "/api/emergencies", Tags: []string{"cases"},
		Summary:     "Emergencies that last",
		Description: "Complaints far above the usual, of the brand or of one of its groups. Every agent sees them; a supervisor ends or extends one by its case (POST /api/cases/{name}/actions).",
	}, d.emergencies)
}

func (d *Desk) emergencies(ctx context.Context, _ *principal, _ *nothing) (*emergenciesOutput, error) {
	rows, err := d.Store.Queries().EmergenciesLasting(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing emergencies: %w", err)
	}
	out := &emergenciesOutput{}
	out.Body.Emergencies = []EmergencyView{}
	for _, row := range rows {
		if row.EndedAt == nil {
			out.Body.Emergencies = append(out.Body.Emergencies, d.emergencyView(row))
		}
	}
	return out, nil
}

func (d *Desk) emergencyView(row db.Emergency) EmergencyView {
	view := EmergencyView{
		Case: d.nameOf(promise.EmergencyID(d.Names.Namespace, d.Names.Brand, row.Number)), SkillGroup: row.SkillGroup, ScopeName: row.SkillGroup, StartedAt: row.StartedAt,
	}
	snapshot := d.Catalog.Snapshot()
	if group, known := snapshot.Group(row.SkillGroup); known {
		view.ScopeName = cmp.Or(group.Spec.DisplayName, group.Name)
	} else if row.SkillGroup == "" && snapshot.Brand != nil {
		view.ScopeName = cmp.Or(snapshot.Brand.Spec.DisplayName, snapshot.Brand.Name)
	}
	return view
}

// emergencyActions are for those who supervise.
func emergencyActions(p *principal, c store.Case) []AllowedAction {
	if !p.supervises() || promise.EmergencyState(c.State) != promise.EmergencyOpen {
		return nil
	}
	return []AllowedAction{{Action: actionExtend}, {Action: actionClose, Needs: []string{"note"}}}
}

// actOnEmergency ends an emergency at once, what the bot says included, or has it last for two hours more at least. Its process
// writes the report. Of two who act at once, the second decides by what the first has done.
func (d *Desk) actOnEmergency(ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error {
	return d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		var detail promise.EmergencyDetail
		taking := takingOf(p, request)
		taking.Tell = d.supervising()
		_, fresh, err := u.ChangeCase(ctx, c.ID, taking, func(c *store.Case) error {
			if err := mayNow(p, *c, request); err != nil {
				return err
			}
			if err := json.Unmarshal(c.Detail, &detail); err != nil {
				return fmt.Errorf("decoding an emergency: %w", err)
			}
			if request.Action == actionClose {
				c.State, detail.ClosedBy = string(promise.EmergencyClosing), p.agent.Name
			} else {
				detail.HeldUntil = u.Now.Add(extendedBy)
			}
			encoded, err := json.Marshal(detail)
			c.Detail = encoded
			return err
		})
		if err != nil || !fresh {
			return err
		}
		if request.Action == actionExtend {
			return u.SignalWorkflow(ctx, c.ID, promise.SignalEmergencyExtend, promise.EmergencyExtend{By: p.agent.Name, Until: detail.HeldUntil})
		}
		if err := u.EmergencyEnd(ctx, u.Now, detail.Number); err != nil {
			return fmt.Errorf("ending an emergency: %w", err)
		}
		return u.SignalWorkflow(ctx, c.ID, promise.SignalEmergencyClose, promise.EmergencyClose{By: p.agent.Name})
	})
}

// supervising are the names of all who supervise.
func (d *Desk) supervising() []string {
	snapshot := d.Catalog.Snapshot()
	return append(snapshot.WithRole(promise.RoleSupervisor), snapshot.WithRole(promise.RoleAdmin)...)
}
