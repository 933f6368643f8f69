package ack_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestBlame(t *testing.T) {
	brand := func(findings ...conditions.Condition) *v1alpha1.Brand {
		return &v1alpha1.Brand{
			ObjectMeta: metav1.ObjectMeta{Name: "lumi"},
			Status:     v1alpha1.BrandStatus{Conditions: conditions.Merge(nil, 1, time.Time{}, findings...)},
		}
	}
	resolved := conditions.True(v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved, "")
	provisioned := conditions.True(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned, "")
	failed := conditions.False(v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed, "Kafka is out of reach")
	missing := conditions.False(v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound, "Secret lumi-postgres does not exist in this namespace")
	noDesk := conditions.False(v1alpha1.ConditionDeskAvailable, v1alpha1.ReasonNoReadyReplica, "")
	none := conditions.False(v1alpha1.ConditionConnectorAvailable, v1alpha1.ReasonNoReadyReplica, "No replica of the connector is ready")
	nobody := conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReplicas, "No replica of the router is ready")
	behind := conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReload, "behind")
	const advice = ": its own conditions say why, and what to do"
	for name, tt := range map[string]struct {
		finding conditions.Condition
		brand   *v1alpha1.Brand
		want    conditions.Condition
	}{
		"no Brand":                            {none, nil, none},
		"a Brand that has said nothing yet":   {none, brand(), none},
		"a Brand that is set up":              {none, brand(resolved, provisioned, noDesk), none},
		"a Brand that cannot be set up":       {none, brand(resolved, failed), conditions.False("ConnectorAvailable", "BrandNotReady", "Brand lumi is not ready (ProvisioningFailed)"+advice)},
		"a Brand that lacks a Secret":         {nobody, brand(missing, failed), conditions.False("Acknowledged", "BrandNotReady", "Brand lumi is not ready (NotFound)"+advice)},
		"replicas that run though it is not":  {behind, brand(resolved, failed), behind},
		"what has nothing to do with the two": {provisioned, brand(missing), provisioned},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ack.Blame(tt.finding, tt.brand)); diff != "" {
				t.Errorf("finding (-want +got):\n%s", diff)
			}
		})
	}
}
