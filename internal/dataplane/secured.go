package dataplane

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// mountRoot holds a directory for each Secret that is mounted.
const mountRoot = "/etc/yingda/"

// mount is a Secret by which pods secure a connection or what they keep.
type mount struct {
	// purpose names the volume and its directory, and says whose version it is in AnnotationConnections.
	purpose string
	secret  string
	// keys are those that are mounted.
	keys []string
}

func (m mount) file(key string) string { return mountRoot + m.purpose + "/" + key }

// SecuringSecrets are the names of the Secrets by which the Brand's connections to Kafka and Temporal, and its own keys, are secured,
// each once.
func SecuringSecrets(brand *v1alpha1.Brand) []string {
	var names []string
	for _, m := range slices.Concat(kafkaMounts(brand), temporalMounts(brand), encryptionMounts(brand)) {
		if !slices.Contains(names, m.secret) {
			names = append(names, m.secret)
		}
	}
	return names
}

// mounts are those of what the workload speaks to and works by, so that who breaks into a pod finds no more than it needs.
func (w Workload) mounts() []mount {
	var mounts []mount
	if w.speaksKafka() {
		mounts = append(mounts, kafkaMounts(w.Brand)...)
	}
	if w.speaksTemporal() {
		mounts = append(mounts, temporalMounts(w.Brand)...)
	}
	if w.encrypts() {
		mounts = append(mounts, encryptionMounts(w.Brand)...)
	}
	if w.Component == Router {
		mounts = append(mounts, webhookMounts(w.Brand)...)
	}
	switch w.Component {
	case Workflows:
		mounts = append(append(mounts, providerMounts(w.Brand)...), mailMounts(w.Brand)...)
	case Desk:
		mounts = append(mounts, providerMounts(w.Brand)...)
	default:
	}
	return mounts
}

// speaksKafka is false for workflows, whose word goes to the outbox.
func (w Workload) speaksKafka() bool { return w.Component != Workflows }

func (w Workload) speaksTemporal() bool { return w.calls(ToTemporal) }

// connections is the value of AnnotationConnections: the logins' versions, and those of the Secrets that exist of mounts.
func (w Workload) connections() string {
	var versions []string
	if w.Connections != "" {
		versions = append(versions, w.Connections)
	}
	for _, m := range w.mounts() {
		if secret := w.Securing[m.secret]; secret != nil {
			versions = append(versions, m.purpose+"-"+secret.ResourceVersion)
		}
	}
	return strings.Join(versions, ",")
}

func (w Workload) volumes() []*corev1ac.VolumeApplyConfiguration {
	volumes := w.loginVolumes()
	for _, m := range w.mounts() {
		volumes = append(volumes, secretVolume(m.purpose, m.secret, m.keys...))
	}
	return volumes
}

func (w Workload) volumeMounts() []*corev1ac.VolumeMountApplyConfiguration {
	mounts := w.loginMounts()
	for _, m := range w.mounts() {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(m.purpose).WithMountPath(mountRoot+m.purpose).WithReadOnly(true))
	}
	return mounts
}

// Securing are the Secrets of SecuringSecrets that exist, by name.
type Securing map[string]*metav1.PartialObjectMetadata
