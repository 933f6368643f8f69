package brand

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func TestJudgeDependencies(t *testing.T) {
	const condition = v1alpha1.ConditionDependenciesReachable
	from := func(component string, away ...configz.Dependency) replicaReach {
		reached := map[configz.Dependency]bool{configz.Kafka: true, configz.Postgres: true, configz.Temporal: true}
		for _, service := range away {
			reached[service] = false
		}
		return replicaReach{component, reached}
	}
	for name, tt := range map[string]struct {
		replicas []replicaReach
		want     conditions.Condition
	}{
		"nobody says anything": {nil, conditions.Unknown(condition, "NotReported", "No replica says what it reaches")},
		"everything is reached": {
			[]replicaReach{from(dataplane.Router), from(dataplane.Desk)},
			conditions.True(condition, "Reached", "Replicas reach Kafka, Postgres and Temporal"),
		},
		"Kafka is away from some, whose order does not matter": {
			[]replicaReach{from(dataplane.Router, configz.Kafka), from(dataplane.Desk, configz.Kafka), from(dataplane.Router, configz.Kafka), from(dataplane.Workflows)},
			conditions.False(condition, "KafkaAway", "Kafka is out of reach of a replica of the desk and the router: "+
				"customers' messages are kept in Postgres, and both they and the answers go on once it is back"),
		},
		"two are away, and the graver explains it": {
			[]replicaReach{from(dataplane.Router, configz.Temporal, configz.Postgres)},
			conditions.False(condition, "PostgresAway", "Postgres is out of reach of a replica of the router: "+
				"customers' messages are kept in Kafka, and nobody is answered until it is back; "+
				"Temporal is out of reach of a replica of the router: conversations go on, and the clocks of complaints once it is back"),
		},
		"nothing is left to keep messages in": {
			[]replicaReach{from(dataplane.Connector, configz.Kafka, configz.Postgres)},
			conditions.False(condition, "PostgresAway", "Postgres is out of reach of a replica of the connector; "+
				"Kafka is out of reach of a replica of the connector; what the connectors reach neither of, they refuse, and platforms deliver it again"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, judgeDependencies(tt.replicas)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			seen := sceneOf(func(s *scene) { s.reached = tt.replicas })
			if ready := decide(seen, setupJob, noon()).findings[0]; ready.Reason != v1alpha1.ReasonReady {
				t.Errorf("it holds Ready back: %+v", ready)
			}
		})
	}
}
