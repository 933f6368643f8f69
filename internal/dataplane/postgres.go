package dataplane

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// Where the Secrets with the logins to the Brand's database are mounted, and the key that is mounted of each.
const (
	postgresKey      = "url"
	postgresVolume   = "postgres"
	postgresDir      = "/etc/yingda/postgres"
	postgresURLFile  = postgresDir + "/" + postgresKey
	connectorVolume  = "postgres-connector"
	connectorDir     = "/etc/yingda/postgres-connector"
	connectorURLFile = connectorDir + "/" + postgresKey
)

// OwnerLogin names the Secret with the login that owns the Brand's database.
func OwnerLogin(brand *v1alpha1.Brand) string { return brand.Spec.Postgres.SecretRef.Name }

// OwnConnectorLogin names the Secret with the login that is the connectors' own; empty when they have none.
func OwnConnectorLogin(brand *v1alpha1.Brand) string {
	if ref := brand.Spec.Postgres.ConnectorSecretRef; ref != nil {
		return ref.Name
	}
	return ""
}

// ConnectorLogin names the Secret by which connectors connect: with a login of their own, they never see the owner's.
func ConnectorLogin(brand *v1alpha1.Brand) string {
	if own := OwnConnectorLogin(brand); own != "" {
		return own
	}
	return OwnerLogin(brand)
}

// Connections are the versions of the Secrets with the logins that a pod mounts, for AnnotationConnections; those that do not
// exist are left out. Their contents are not known to the operator; a resourceVersion changes with them.
func Connections(logins ...*metav1.PartialObjectMetadata) string {
	var versions []string
	for _, secret := range logins {
		if secret != nil {
			versions = append(versions, "postgres-"+secret.ResourceVersion)
		}
	}
	return strings.Join(versions, ",")
}

// ConnectorLoginArgs tell setup where the connectors' own login is.
func ConnectorLoginArgs(brand *v1alpha1.Brand) []string {
	if OwnConnectorLogin(brand) == "" {
		return nil
	}
	return []string{"--connector-url-file=" + connectorURLFile}
}

func (w Workload) loginVolumes() []*corev1ac.VolumeApplyConfiguration {
	volumes := []*corev1ac.VolumeApplyConfiguration{secretVolume(postgresVolume, w.Login, postgresKey)}
	if w.ConnectorLogin != "" {
		volumes = append(volumes, secretVolume(connectorVolume, w.ConnectorLogin, postgresKey))
	}
	return volumes
}

func (w Workload) loginMounts() []*corev1ac.VolumeMountApplyConfiguration {
	mounts := []*corev1ac.VolumeMountApplyConfiguration{
		corev1ac.VolumeMount().WithName(postgresVolume).WithMountPath(postgresDir).WithReadOnly(true),
	}
	if w.ConnectorLogin != "" {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(connectorVolume).WithMountPath(connectorDir).WithReadOnly(true))
	}
	return mounts
}

// secretVolume projects the keys that are wanted, whatever else the Secret holds. It is optional: the operator cannot read
// Secrets and so does not know whether a key is there, and a pod that says which file is missing says it more clearly than
// one that never starts.
func secretVolume(name, secret string, keys ...string) *corev1ac.VolumeApplyConfiguration {
	items := make([]*corev1ac.KeyToPathApplyConfiguration, len(keys))
	for i, key := range keys {
		items[i] = corev1ac.KeyToPath().WithKey(key).WithPath(key)
	}
	return corev1ac.Volume().WithName(name).WithProjected(corev1ac.ProjectedVolumeSource().
		WithDefaultMode(0o440).
		WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(secret).
			WithOptional(true).
			WithItems(items...))))
}
