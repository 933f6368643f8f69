package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestWhatWasComparedIsNotComparedAgain(t *testing.T) {
	service := func(uid, version string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: types.UID(uid), ResourceVersion: version}}
	}
	for name, tt := range map[string]struct {
		live     *corev1.Service
		rendered string
		known    bool
	}{
		"the same":                       {service("a", "7"), "port 1", true},
		"something else is rendered":     {service("a", "7"), "port 2", false},
		"somebody changed the object":    {service("a", "8"), "port 1", false},
		"another object of the name":     {service("b", "7"), "port 1", false},
		"another one, another rendering": {service("b", "1"), "port 2", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &compared{}
			c.note(service("a", "7"), []byte("port 1"))
			if got := c.known(tt.live, []byte(tt.rendered)); got != tt.known {
				t.Errorf("known is %v, want %v", got, tt.known)
			}
		})
	}
}
