package channel

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.ChannelStatus {
	channel := seen.channel
	connector := &v1alpha1.ConnectorStatus{
		Name: dataplane.WorkloadName(channel.Spec.BrandRef.Name, dataplane.PoolOf(channel)),
	}
	if replicas := dataplane.Replicas(seen.deployment, seen.autoscaler, now); replicas != nil {
		connector.ReplicasStatus = *replicas
	}
	return v1alpha1.ChannelStatus{
		Conditions:         conditions.Merge(channel.Status.Conditions, channel.Generation, now, decided.findings...),
		ObservedGeneration: channel.Generation,
		WaitsFor:           decided.waitsFor,
		WebhookURL:         decided.webhookURL,
		Connector:          connector,
		Menu:               menuStatus(seen),
	}
}
