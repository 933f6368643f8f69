//go:build e2e

package e2e

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The clocks of the cases of a trial, long enough that all are open before the first is due.
const (
	caseReminded  = 12 * time.Second
	caseDue       = 25 * time.Second
	caseFirstRung = 5 * time.Second
	caseLastRung  = 10 * time.Second
)

// quickly has everything be due within half a minute that nobody sees to.
func quickly(level *v1alpha1.ServiceLevel) {
	spec := &level.Spec
	spec.AfterSales.Review, spec.AfterSales.RemindBefore = caseDue.String(), (caseDue - caseReminded).String()
	spec.AfterSales.Ladder = []v1alpha1.DeadlineRung{
		{After: caseFirstRung.String(), Notify: v1alpha1.RoleSupervisor}, {After: caseLastRung.String(), Notify: v1alpha1.RoleAdmin},
	}
	spec.Complaint.Ladder = []v1alpha1.EscalationRung{
		{After: caseDue.String(), Notify: v1alpha1.RoleSupervisor}, {After: (caseDue + caseLastRung).String(), Notify: v1alpha1.RoleAdmin},
	}
	late := []v1alpha1.LateRung{{After: caseFirstRung.String(), Notify: v1alpha1.RoleSupervisor}, {After: caseLastRung.String(), Notify: v1alpha1.RoleAdmin}}
	spec.Promise.Ladder, spec.FollowUp.Ladder = late, late
	// So many complaints are an emergency, which is not what is looked at here.
	spec.Emergency.Detection = v1alpha1.EmergencyDetectionDisabled
}

// script is what is played with the case of one customer.
type script struct {
	name string
	// writes is what the customer begins with.
	writes string
	// open opens the case.
	open func(ctx context.Context, r *caseTrial, p *player) error
	// moves are made in their order, each when the case stands where it waits for it.
	moves []move
}

// move is what somebody does with a case; the same key does it once.
type move struct {
	// state is that of the case, after the step where one is named. Then the process is waiting for somebody.
	state, after string
	make         func(ctx context.Context, r *caseTrial, p *player, id string) error
}

// acts is an action of an agent at the desk.
func acts(who func(*caseTrial) desk, action string, with map[string]any) func(context.Context, *caseTrial, *player, string) error {
	return func(ctx context.Context, r *caseTrial, p *player, id string) error {
		body := map[string]any{"key": p.key, "action": action}
		maps.Copy(body, with)
		return who(r).do(ctx, http.MethodPost, "/api/cases/"+url.PathEscape(id)+"/actions", body, nil)
	}
}

// writes has the customer write. That opens the platform's quota again for the texts that follow: all must fit into it, those too of what
// takes long under a fault and is announced.
func writes(text string) func(context.Context, *caseTrial, *player, string) error {
	return func(ctx context.Context, _ *caseTrial, p *player, _ string) error {
		_, err := p.customer.send(ctx, map[string]any{"content": text})
		return err
	}
}

func agentOf(r *caseTrial) desk      { return r.agent }
func supervisorOf(r *caseTrial) desk { return r.supervisor }

// caseScripts are the kinds of cases of a trial. Each is left alone until its ladder has been climbed.
func caseScripts() []script {
	confirm := move{state: "settled", after: "enter", make: acts(agentOf, "confirm", nil)}
	approve := move{state: "review", after: "escalate/0/2", make: acts(agentOf, "approve", map[string]any{"note": "核实"})}
	return []script{
		{
			name: "refund", writes: "少发了一件",
			open: func(ctx context.Context, r *caseTrial, p *player) error {
				application := application(p, "RefundOnly", "MissingItem")
				application["key"] = p.key
				return r.agent.do(ctx, http.MethodPost, "/api/conversations/"+p.conversation+"/after-sales", application, nil)
			},
			moves: []move{approve, confirm},
		},
		{
			name: "return", writes: "不合身",
			open: func(ctx context.Context, r *caseTrial, p *player) error {
				application := application(p, "Return", "NoReason")
				application["key"], application["channel"], application["customer"], application["skillGroup"] = p.key, channelName, p.customer.openid, groupName
				return r.provider.tells(ctx, r.agent, "cases", application)
			},
			moves: []move{
				approve,
				{state: "returning", after: "told/1", make: writes("寄出去了")},
				{state: "returning", after: "enter", make: func(ctx context.Context, r *caseTrial, p *player, id string) error {
					return r.provider.tells(ctx, r.agent, "cases/"+url.PathEscape(id)+"/actions", map[string]any{"key": p.key, "case": id, "action": "receive"})
				}},
				{state: "received", after: "told/2", make: writes("收到了吗")},
				{state: "received", after: "enter", make: func(ctx context.Context, r *caseTrial, p *player, id string) error {
					shown, err := r.agent.file(ctx, id)
					if err != nil {
						return err
					}
					var points []string
					for _, allowed := range shown.Allowed {
						points = slices.Concat(points, allowed.Points)
					}
					return acts(agentOf, "accept", map[string]any{"checked": points})(ctx, r, p, id)
				}},
				confirm,
			},
		},
		{
			name: "complaint", writes: "包裹怎么不动了",
			// Once the agent has the conversation: who is told of it goes by who has it then.
			open: func(ctx context.Context, _ *caseTrial, p *player) error {
				_, err := p.customer.send(ctx, map[string]any{"content": "我要投诉!"})
				return err
			},
			moves: []move{
				{state: "escalated", after: "escalate/2", make: acts(supervisorOf, "resolve", map[string]any{"note": "已道歉"})},
				{state: "resolved", after: "resolve", make: acts(supervisorOf, "followUp", nil)},
			},
		},
		{
			name: "promise", writes: "物流到哪了",
			open: func(ctx context.Context, r *caseTrial, p *player) error {
				body := map[string]any{"key": p.key, "what": "查物流", "due": time.Now().Add(caseDue).UTC()}
				return r.agent.do(ctx, http.MethodPost, "/api/conversations/"+p.conversation+"/promises", body, nil)
			},
			moves: []move{{state: "open", after: "escalate/2", make: acts(agentOf, "done", nil)}},
		},
		{
			name: "call-back", writes: "换的货到了",
			open: func(ctx context.Context, r *caseTrial, p *player) error {
				body := map[string]any{"key": p.key, "what": "问对换货是否满意", "due": time.Now().Add(caseDue).UTC()}
				return r.supervisor.do(ctx, http.MethodPost, "/api/conversations/"+p.conversation+"/call-backs", body, nil)
			},
			moves: []move{{state: "open", after: "escalate/2", make: acts(supervisorOf, "done", nil)}},
		},
	}
}

// application is one for an order of the customer's own.
func application(p *player, kind, reason string) map[string]any {
	return map[string]any{
		"kind": kind, "reason": reason, "description": "见上文",
		"order": map[string]any{
			"number": "LM" + p.number, "paid": 19900, "deliveredAt": time.Now().Add(-24 * time.Hour).UTC(), "freightInsured": kind == "Return",
		},
	}
}

// player plays the script of one customer.
type player struct {
	script       script
	customer     customer
	number       string
	conversation string
	// made is how many moves were made; key is that of the next.
	made int
	key  uuid.UUID
	// ended says that the case is closed and its workflow has completed.
	ended bool
}
