// Package callees finds somebody to call when a ladder is climbed: what climbs in silence is lost.
package callees

import (
	"fmt"

	"github.com/yingda-dev/yingda/internal/promise"
)

// Directory knows a brand's people.
type Directory interface {
	// Agents are the names of all agents of a role: Supervisor or Admin.
	Agents(role string) []string
	// GroupAgents are the names of all agents of a SkillGroup.
	GroupAgents(group string) []string
}

// Whom a call reached, as metrics and logs name it.
const (
	Role   = "role"
	Others = "other_role"
	Group  = "group"
	Nobody = "nobody"
)

// All are the names above, for metrics that start at zero.
func All() []string { return []string{Role, Others, Group, Nobody} }

// Callees are the agents whom a rung calls, and who they are.
type Callees struct {
	Who    string
	Agents []string
}

// Of finds who has the role, else the admins, else the supervisors, else the group itself.
func Of(d Directory, role, group string) Callees {
	if agents := d.Agents(role); len(agents) > 0 {
		return Callees{Role, agents}
	}
	for _, other := range []string{promise.RoleAdmin, promise.RoleSupervisor} {
		if agents := d.Agents(other); len(agents) > 0 {
			return Callees{Others, agents}
		}
	}
	if agents := d.GroupAgents(group); len(agents) > 0 {
		return Callees{Group, agents}
	}
	return Callees{Who: Nobody}
}

// Words say, in a case's history, whom a rung has called that is for a role.
func (c Callees) Words(rung int, role string) string {
	name := roleName(role)
	switch c.Who {
	case Role:
		return fmt.Sprintf("升级第%d级：已通知%s", rung, name)
	case Others:
		return fmt.Sprintf("升级第%d级：没有%s，已通知其他负责人", rung, name)
	case Group:
		return fmt.Sprintf("升级第%d级：没有%s，已通知本组客服", rung, name)
	default:
		return fmt.Sprintf("升级第%d级：没有%s，无人可通知", rung, name)
	}
}

func roleName(role string) string {
	switch role {
	case promise.RoleSupervisor:
		return "主管"
	case promise.RoleAdmin:
		return "管理员"
	default:
		return role
	}
}
