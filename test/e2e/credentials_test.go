//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The keys of a mini-program's Secret.
const (
	keyAppSecret   = "appSecret"
	keyToken       = "token"
	keyAES         = "encodingAESKey"
	keyPreviousAES = "previousEncodingAESKey"
)

// rotatedSecret changes the AES key under traffic, and then everything else: only the AES key has a previous one, so the
// platform's token and app secret change between two messages.
func (s *story) rotatedSecret() {
	t := s.t
	unchanged := s.kube.nothingRestarts(t)
	c := s.customer("rotation")
	given := s.meets(t, c, "改密钥之前")
	secret := s.borrowSecret(t)
	oldKey, newKey := secret.Data[keyAES], randomText(42)+"A"

	traffic := startTraffic(t, s.customer("traffic"))
	traffic.flows(t, "before the rotation")
	s.rotate(t, secret, map[string]string{keyAES: newKey, keyPreviousAES: string(oldKey)})
	traffic.flows(t, "while the platform has the old key")
	must(t, s.app.change(t.Context(), console{EncodingAESKey: newKey}))
	traffic.flows(t, "with the new key")
	delete(secret.Data, keyPreviousAES)
	s.rotate(t, secret, nil)
	traffic.flows(t, "without the old key")
	texts := traffic.stop(t)
	listener := s.stream.gives(t, traffic.customer, soon)
	s.agent.closesLater(t, listener.ID)
	s.agent.hears(t, listener.ID, texts...)

	// The console calls the webhook when the token is saved, so the Secret has it first; a new app secret the console
	// makes itself.
	s.rotate(t, secret, map[string]string{keyToken: randomText(20)})
	must(t, s.app.change(t.Context(), console{Token: string(secret.Data[keyToken])}))
	must(t, s.app.verify(t.Context()))
	appSecret := randomText(32)
	must(t, s.app.change(t.Context(), console{AppSecret: appSecret}))
	s.rotate(t, secret, map[string]string{keyAppSecret: appSecret})
	must(t, s.app.revokeTokens(t.Context()))
	c.writes(t, "改密钥之后")
	s.stream.shows(t, given.ID, "改密钥之后")
	s.agent.replies(t, c, given.ID, "密钥换好了。")
	unchanged()
}

// borrowSecret returns the Channel's Secret; after the test Secret and console are what they were, and every connector
// knows it.
func (s *story) borrowSecret(t *testing.T) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	s.kube.get(t, s.channel.Spec.MiniProgram.CredentialsSecretRef.Name, secret)
	before := secret.DeepCopy()
	cleanly(t, func(ctx context.Context) error {
		err := s.app.change(ctx, console{
			Token: string(before.Data[keyToken]), AppSecret: string(before.Data[keyAppSecret]), EncodingAESKey: string(before.Data[keyAES]),
		})
		// A merge patch writes nothing where nothing differs, so the version is the one that is there now.
		err = errors.Join(err, s.app.revokeTokens(ctx), s.kube.restore(ctx, before), s.kube.Get(ctx, client.ObjectKeyFromObject(before), before))
		if err != nil {
			return err
		}
		return s.kube.loadedSecret(ctx, channelName, before)
	})
	return secret
}

// rotate writes values into the Secret and waits until every connector serves them.
func (s *story) rotate(t *testing.T, secret *corev1.Secret, values map[string]string) {
	t.Helper()
	for key, value := range values {
		secret.Data[key] = []byte(value)
	}
	must(t, s.kube.Update(t.Context(), secret))
	must(t, s.kube.loadedSecret(t.Context(), channelName, secret))
}

// traffic is a customer who writes all the time.
type traffic struct {
	customer customer
	cancel   context.CancelFunc
	ended    chan struct{}

	mu      sync.Mutex
	written []result
}

type result struct {
	text string
	push push
	err  error
}

func startTraffic(t *testing.T, c customer) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &traffic{customer: c, cancel: cancel, ended: make(chan struct{})}
	go f.write(ctx)
	t.Cleanup(func() {
		cancel()
		<-f.ended
	})
	return f
}

func (f *traffic) write(ctx context.Context) {
	defer close(f.ended)
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for n := 1; ctx.Err() == nil; n++ {
		r := result{text: fmt.Sprintf("第 %d 句", n)}
		// A message is finished even when it was the last: half a push would say nothing.
		r.push, r.err = f.customer.send(context.WithoutCancel(ctx), map[string]any{"content": r.text})
		f.mu.Lock()
		f.written = append(f.written, r)
		f.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (f *traffic) results() []result {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.written)
}

// flows sees a few messages through from now on.
func (f *traffic) flows(t *testing.T, when string) {
	t.Helper()
	const few = 5
	before := len(f.results())
	await(t, "messages "+when, soon, func(context.Context) (int, error) { return len(f.results()), nil }, func(n int) bool { return n >= before+few })
	f.lost(t, when)
}

// lost fails the test when a message was not taken by the product.
func (f *traffic) lost(t *testing.T, when string) {
	t.Helper()
	for _, r := range f.results() {
		must(t, r.err)
		if r.push.State != pushDelivered {
			t.Fatalf("a message got lost %s: %s", when, describe(r.push))
		}
	}
}

// stop ends the traffic and returns all that was written.
func (f *traffic) stop(t *testing.T) []string {
	t.Helper()
	f.cancel()
	<-f.ended
	f.lost(t, "at the end")
	var texts []string
	for _, r := range f.results() {
		texts = append(texts, r.text)
	}
	return texts
}

func (s *story) secondChannel() {
	t := s.t
	unchanged := s.kube.nothingRestarts(t)
	name := "e2e-" + s.run
	account := s.sim.app("wx" + hex.EncodeToString(randomBytes(8)))
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-wechat", Labels: map[string]string{v1alpha1.CredentialsLabel: "true"}},
		Data: map[string][]byte{
			keyAppSecret: []byte(randomText(32)), keyToken: []byte(randomText(20)), keyAES: []byte(randomText(42) + "A"),
		},
	}
	account.create(t, console{
		AppSecret: string(secret.Data[keyAppSecret]), Token: string(secret.Data[keyToken]), EncodingAESKey: string(secret.Data[keyAES]),
		OriginalID: "gh_e2e", Name: "露米二店", Mode: "secure", Format: "JSON",
	})
	s.kube.create(t, secret)
	channel := &v1alpha1.Channel{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ChannelSpec{
			BrandRef: v1alpha1.BrandReference{Name: brandName}, DisplayName: "露米二店", Type: v1alpha1.ChannelTypeMiniProgram,
			MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
				AppID: account.id, CredentialsSecretRef: v1alpha1.CredentialsReference{Name: secret.Name},
				MessageMode: v1alpha1.MessageModeSecure, APIBaseURL: s.channel.Spec.MiniProgram.APIBaseURL,
			}},
		},
	}
	s.kube.create(t, channel)
	s.kube.settled(t, channel)
	s.kube.get(t, name, channel)
	if got, want := channel.Status.Connector.Name, s.channel.Status.Connector.Name; got != want {
		t.Errorf("the Channel is served by %s, want the pool %s", got, want)
	}
	must(t, account.change(t.Context(), console{CallbackURL: channel.Status.WebhookURL}))
	must(t, account.verify(t.Context()))

	c := account.customer(s.customer("second-channel").openid)
	given := s.meets(t, c, "二店有人吗?")
	if given.Channel != name {
		t.Errorf("the conversation is on Channel %s, want %s", given.Channel, name)
	}
	s.agent.hears(t, given.ID, "二店有人吗?")
	s.agent.replies(t, c, given.ID, "二店也有人。")
	s.meets(t, s.customer("first-channel"), "一店还在吗?")
	must(t, s.agent.close(t.Context(), given.ID))

	must(t, s.kube.Delete(t.Context(), channel))
	await(t, "the Channel is gone", settleLimit, func(ctx context.Context) (bool, error) {
		err := s.kube.Get(ctx, client.ObjectKeyFromObject(channel), channel)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}, func(gone bool) bool { return gone })
	await(t, "its webhook is gone", settleLimit, func(ctx context.Context) (int, error) {
		_, err := fetch(ctx, http.MethodGet, channel.Status.WebhookURL, "", nil)
		if status, ok := errors.AsType[*statusError](err); ok {
			return status.status, nil
		}
		return 0, err
	}, func(status int) bool { return status == http.StatusNotFound })
	unchanged()
}

// create makes an object until the test ends.
func (k kube) create(t *testing.T, object client.Object) {
	t.Helper()
	must(t, k.Create(t.Context(), object))
	cleanly(t, func(ctx context.Context) error { return client.IgnoreNotFound(k.Delete(ctx, object)) })
}

// patch makes an object what it should be, given what it is.
func (k kube) patch(ctx context.Context, wanted, now client.Object) error {
	if err := k.Patch(ctx, wanted, client.MergeFrom(now)); err != nil {
		return fmt.Errorf("patching %s: %w", wanted.GetName(), err)
	}
	return nil
}

// randomText gives n letters and digits.
func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := randomBytes(n)
	for i, b := range text {
		text[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(text)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand's Read never fails.
	return b
}

// drawn is a picture that nobody has sent before.
func drawn(t *testing.T) []byte {
	t.Helper()
	const side = 32
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for i, b := range randomBytes(side * side) {
		picture.Set(i%side, i/side, color.RGBA{b, 255 - b, b / 2, 255})
	}
	var out bytes.Buffer
	must(t, png.Encode(&out, picture))
	return out.Bytes()
}
