package apply

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAControllerIsNotWokenByItsOwnWrites(t *testing.T) {
	a := New(nil, nil, "channel")
	at := func(uid types.UID, version string) *v1alpha1.Channel {
		return &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{UID: uid, ResourceVersion: version}}
	}
	a.echoes.note(at("a", "2"))
	for _, tt := range []struct {
		name string
		seen *v1alpha1.Channel
		want bool
	}{
		{"the version of before", at("a", "1"), true},
		{"another object in the same version", at("b", "2"), true},
		{"what it wrote", at("a", "2"), false},
		{"the same once more", at("a", "2"), true},
		{"what somebody wrote after it", at("a", "3"), true},
	} {
		if got := a.NotOwn().Update(event.UpdateEvent{ObjectOld: at(tt.seen.UID, "0"), ObjectNew: tt.seen}); got != tt.want {
			t.Errorf("%s: woken is %v, want %v", tt.name, got, tt.want)
		}
	}
	a.echoes.note(at("c", "4"))
	if a.NotOwn().Create(event.CreateEvent{Object: at("c", "4")}) {
		t.Error("woken by the object that it made")
	}
}
