package host_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/conformance/wechatplatform"
	"github.com/yingda-dev/yingda/connectors/conformance/world"
	"github.com/yingda-dev/yingda/connectors/miniprogram"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/domain/quota"
)

// wechatWorld is a world with mini-programs.
type wechatWorld struct {
	*world.World
	*wechatplatform.Platform
}

func newWorld(t testing.TB) *wechatWorld {
	t.Helper()
	platform := wechatplatform.New(t, wechatsim.KindMiniProgram)
	return &wechatWorld{world.New(t, world.Options{Type: miniprogram.Type{}, APIBaseURLs: []string{platform.URL}}), platform}
}

// app is a mini-program with its Channel.
type app struct {
	*wechatplatform.Account
	w    *wechatWorld
	name string
}

func (w *wechatWorld) app(name string, modify ...func(*wechatsim.App)) *app {
	w.T.Helper()
	return &app{w.Account(name, modify...), w, name}
}

func (a *app) secret() *corev1.Secret {
	return a.w.Secret(a.Spec().MiniProgram.CredentialsSecretRef.Name, a.Secret())
}

func (a *app) channel() *v1alpha1.Channel { return a.w.Channel(a.name, a.Spec()) }

// serve makes the app's Channel and points its pushes to a replica that serves it.
func (a *app) serve(r *world.Replica) {
	a.w.T.Helper()
	a.w.Create(a.secret(), a.channel())
	a.CallAt(r.URL(a.name))
	r.Accepts(a.name)
}

func (a *app) write(openID, text string) wechatsim.Push {
	a.w.T.Helper()
	return a.Push(openID, wechatsim.Message{Content: text})
}

// meet lets a customer write and gives our ledger the grant, as the router does.
func (a *app) meet(openID string) {
	a.w.T.Helper()
	if push := a.write(openID, "你好"); push.State != wechatsim.PushDelivered {
		a.w.T.Fatalf("the customer's message was not taken: %+v", push)
	}
	a.w.Grant(a.name, openID, quota.Grant(quota.State{}, quota.Rules{}, quota.UserMessage, time.Now()))
}
