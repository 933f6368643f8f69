package brand

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// dependenciesInterval is how often the replicas are asked what they reach, which no watch can tell.
const dependenciesInterval = 30 * time.Second

// replicaReach is what one replica reaches.
type replicaReach struct {
	component string
	reached   map[configz.Dependency]bool
}

// observeDependencies asks replicas that are not ready, too: those that lost Postgres are not. An outage is the Brand's to tell,
// once, and not each Channel's: of Dedicated ones, which may be many, nobody is asked.
func (r *Reconciler) observeDependencies(ctx context.Context, seen *scene) error {
	var targets []ack.Target
	for _, pool := range dataplane.Pools() {
		targets = append(targets, ack.Target{Component: dataplane.Connector, Pool: pool})
	}
	for _, component := range components() {
		targets = append(targets, ack.Target{Component: component})
	}
	for _, target := range targets {
		target.Namespace, target.Brand, target.Unready = seen.brand.Namespace, seen.brand.Name, true
		answers, err := r.asker.Ask(ctx, target)
		if err != nil {
			return fmt.Errorf("asking the %s what it reaches: %w", target.Component, err)
		}
		seen.asked += len(answers)
		for _, answer := range answers {
			if answer.Err == nil && len(answer.Report.Reached) > 0 {
				seen.reached = append(seen.reached, replicaReach{target.Component, answer.Report.Reached})
			}
		}
	}
	return nil
}

// outage says what follows while a service is away.
type outage struct {
	service      configz.Dependency
	reason       string
	consequences string
}

// outages go from what stops most to what stops least.
func outages() []outage {
	return []outage{
		{configz.Postgres, v1alpha1.ReasonPostgresAway, "customers' messages are kept in Kafka, and nobody is answered until it is back"},
		{configz.Kafka, v1alpha1.ReasonKafkaAway, "customers' messages are kept in Postgres, and both they and the answers go on once it is back"},
		{configz.Temporal, v1alpha1.ReasonTemporalAway, "conversations go on, and the clocks of complaints once it is back"},
	}
}

// judgeDependencies says what cannot be reached, and from where: a service may be away, or a network policy in between.
func judgeDependencies(replicas []replicaReach) conditions.Condition {
	const condition = v1alpha1.ConditionDependenciesReachable
	if len(replicas) == 0 {
		return conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica says what it reaches")
	}
	var reason string
	var messages []string
	away := awayFrom(replicas)
	both := len(away[configz.Postgres]) > 0 && len(away[configz.Kafka]) > 0
	for _, o := range outages() {
		from := away[o.service]
		if len(from) == 0 {
			continue
		}
		if reason == "" {
			reason = o.reason
		}
		message := string(o.service) + " is out of reach of a replica of the " + strings.Join(from, " and the ")
		if !both {
			message += ": " + o.consequences
		}
		messages = append(messages, message)
	}
	if both {
		messages = append(messages, "what the connectors reach neither of, they refuse, and platforms deliver it again")
	}
	if reason == "" {
		return conditions.True(condition, v1alpha1.ReasonReached, "Replicas reach Kafka, Postgres and Temporal")
	}
	return conditions.False(condition, reason, strings.Join(messages, "; "))
}

// awayFrom are, by service, the components with a replica that does not reach it, sorted.
func awayFrom(replicas []replicaReach) map[configz.Dependency][]string {
	away := map[configz.Dependency][]string{}
	for _, replica := range replicas {
		for service, reached := range replica.reached {
			if !reached && !slices.Contains(away[service], replica.component) {
				away[service] = append(away[service], replica.component)
			}
		}
	}
	for service := range away {
		slices.Sort(away[service])
	}
	return away
}
