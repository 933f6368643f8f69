package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfAgents(t *testing.T) { newAdmission(t).tries(agentAttempts()) }

func agentAttempts() map[string]attempt {
	return map[string]attempt{
		"an Agent with the longest name":         {agent(strings.Repeat("a", 63), "lumi", nil), ""},
		"an Agent on call":                       {agentOnCall(v1alpha1.OnCallWhenShort), ""},
		"an Agent who is called at other times":  {agentOnCall("Weekends"), "Unsupported value"},
		"an Agent with a longer name":            {agent(strings.Repeat("a", 64), "lumi", nil), "name an Agent with at most 63 characters"},
		"a skill of the highest level":           {skilled(5), ""},
		"a skill of a higher level":              {skilled(6), "spec.skills[0].level"},
		"an Agent without a role":                {agentAs(""), ""},
		"an Agent who is an admin":               {agentAs(v1alpha1.RoleAdmin), ""},
		"an Agent with a role that there is not": {agentAs("Owner"), "Unsupported value"},
		"an Agent of the longest displayName":    {shown(strings.Repeat("美", 64)), ""},
		"an Agent of a longer displayName":       {shown(strings.Repeat("美", 65)), "may not be more than 64"},
		"an Agent of no displayName":             {shown(""), "spec.displayName"},
	}
}

func agentOnCall(when v1alpha1.OnCall) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.OnCall = when
	return a
}

func agentAs(role v1alpha1.AgentRole) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.Role = role
	return a
}

func shown(name string) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.DisplayName = name
	return a
}

func skilled(level int32) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.Skills = []v1alpha1.AgentSkill{{Name: "refund", Level: level}}
	return a
}
