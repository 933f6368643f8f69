package agent

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.AgentStatus {
	agent := seen.agent
	out := v1alpha1.AgentStatus{
		Conditions:         conditions.Merge(agent.Status.Conditions, agent.Generation, now, decided.findings...),
		ObservedGeneration: agent.Generation,
	}
	if decided.hash != "" {
		out.TrialToken = &v1alpha1.TrialTokenStatus{SecretName: secretName(agent.Name), SHA256: decided.hash}
	}
	return out
}
