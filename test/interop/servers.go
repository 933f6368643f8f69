package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yingda-dev/yingda/hack/wechatsim"
)

const (
	token  = "spamtest"
	aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	secret = "sandbox"
)

// callback is what servers.js is told of the account.
type callback struct {
	Token  string `json:"token"`
	AppID  string `json:"appid"`
	AESKey string `json:"encodingAESKey,omitempty"`
}

// received is a message as a peer understood it.
type received struct {
	Message map[string]any `json:"message"`
}

// servers has the simulator push to peers.
func servers(ctx context.Context, r *runner) error {
	r.section("Callback servers", "The simulator pushes, a package answers. Where it may answer with a text, it does; that is encrypted where the push was.")
	const (
		noJSON       = "it reads XML only"
		noSealedJSON = "it reads XML only in what it decrypted"
		needsKey     = "it serves no account without an EncodingAESKey"
	)
	for _, c := range []struct {
		name  string
		kind  wechatsim.Kind
		known limits
	}{
		{"co-wechat", wechatsim.KindMiniProgram, limits{"secure JSON": noJSON, "compatible JSON": noJSON, "plaintext JSON": noJSON}},
		{"wechat", wechatsim.KindMiniProgram, limits{"secure JSON": noJSON, "compatible JSON": noJSON, "plaintext JSON": noJSON}},
		{"node-easywechat MiniApp", wechatsim.KindMiniProgram, limits{
			"plaintext XML": needsKey, "plaintext JSON": needsKey, "compatible JSON": noSealedJSON, "secure JSON": noSealedJSON,
		}},
		{"co-wechat", wechatsim.KindOfficialAccount, nil},
		{"wechat", wechatsim.KindOfficialAccount, nil},
		{"node-easywechat OfficialAccount", wechatsim.KindOfficialAccount, nil},
	} {
		formats := []wechatsim.Format{wechatsim.FormatXML, wechatsim.FormatJSON}
		if c.kind == wechatsim.KindOfficialAccount {
			formats = formats[:1]
		}
		for _, mode := range []wechatsim.Mode{wechatsim.ModePlaintext, wechatsim.ModeCompatible, wechatsim.ModeSecure} {
			for _, format := range formats {
				if err := r.pushes(ctx, c.name, c.kind, mode, format, c.known); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pushes is a customer of one account and what the package makes of it.
func (r *runner) pushes(ctx context.Context, name string, kind wechatsim.Kind, mode wechatsim.Mode, format wechatsim.Format, known limits) error {
	app := r.app(kind)
	app.Mode, app.Format = mode, format
	config := callback{Token: token, AppID: app.AppID}
	if mode != wechatsim.ModePlaintext {
		config.AESKey = aesKey
	}
	p, err := r.start(ctx, "servers.js", name, config)
	if err != nil {
		return err
	}
	defer p.stop()
	var at struct {
		URL string `json:"url"`
	}
	if err := p.next(&at); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	app.CallbackURL = at.URL
	if err := r.sim.PutApp(app); err != nil {
		return fmt.Errorf("opening an account: %w", err)
	}
	talk := talk{r, ctx, p, app}
	steps := []func() error{talk.verified, talk.text, talk.picture, talk.transferred}
	if kind == wechatsim.KindOfficialAccount {
		steps = append(steps, talk.answered, talk.followed, talk.voice)
	} else {
		steps = append(steps, talk.entered)
	}
	what := string(mode) + " " + string(format)
	label := what + ", " + map[wechatsim.Kind]string{wechatsim.KindMiniProgram: "mini-program", wechatsim.KindOfficialAccount: "official account"}[kind]
	r.try(name, limits{label: known[what]}, label, func() error {
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

// app is a new account of the simulator.
func (r *runner) app(kind wechatsim.Kind) wechatsim.App {
	n := len(r.sim.Apps())
	return wechatsim.App{
		AppID: fmt.Sprintf("wx%016d", n), AppSecret: secret, Token: token, EncodingAESKey: aesKey, OriginalID: fmt.Sprintf("gh_%d", n), Kind: kind,
		Templates: map[string]string{"TM1": "订单 {{number.DATA}} 已发货"},
	}
}

// talk is what is said between the simulator and a package.
type talk struct {
	r   *runner
	ctx context.Context //nolint:containedctx // It lives as long as the steps of one row.
	p   *peer
	app wechatsim.App
}

const customer = "o-customer-1"

func (t talk) verified() error {
	result, err := t.r.sim.Verify(t.ctx, t.app.AppID)
	if err != nil {
		return err
	}
	return same("the check of the address", result.OK, true)
}

// push lets the customer do something, and compares what the package understood and how the platform took its answer.
func (t talk) push(m wechatsim.Message, outcomes []wechatsim.Outcome, want map[string]string) (wechatsim.Push, error) {
	push, err := t.r.sim.Write(t.ctx, t.app.AppID, customer, m)
	if err != nil {
		return push, err
	}
	last := push.Attempts[len(push.Attempts)-1]
	if !slices.Contains(outcomes, last.Outcome) {
		return push, fmt.Errorf("the push ended as %s (status %d, answer %.80q)", last.Outcome, last.Status, last.Answer)
	}
	var got received
	if err := t.p.next(&got); err != nil {
		return push, err
	}
	if push.MsgID != "" {
		want["MsgId"] = push.MsgID
	}
	want["FromUserName"], want["ToUserName"] = customer, t.app.OriginalID
	for field, value := range want {
		if err := same(field, fmt.Sprint(got.Message[field]), value); err != nil {
			return push, err
		}
	}
	return push, nil
}

func (t talk) text() error {
	_, err := t.push(wechatsim.Message{Content: "在吗 & <b>"}, []wechatsim.Outcome{wechatsim.OutcomeSuccess}, map[string]string{"MsgType": "text", "Content": "在吗 & <b>"})
	return err
}

func (t talk) picture() error {
	_, err := t.push(wechatsim.Message{Type: wechatsim.TypeImage}, []wechatsim.Outcome{wechatsim.OutcomeSuccess}, map[string]string{"MsgType": "image"})
	return err
}

func (t talk) entered() error {
	_, err := t.push(wechatsim.Message{Type: wechatsim.TypeEnter, SessionFrom: "order:1"}, []wechatsim.Outcome{wechatsim.OutcomeSuccess},
		map[string]string{"MsgType": "event", "Event": "user_enter_tempsession", "SessionFrom": "order:1"})
	return err
}

func (t talk) transferred() error {
	_, err := t.push(wechatsim.Message{Content: "transfer"}, []wechatsim.Outcome{wechatsim.OutcomeTransferred}, map[string]string{"Content": "transfer"})
	return err
}

func (t talk) answered() error {
	return t.reply(wechatsim.Message{Content: "ask"}, map[string]string{"Content": "ask"})
}

func (t talk) followed() error {
	return t.reply(wechatsim.Message{Type: wechatsim.TypeEvent, Event: "subscribe", Scene: "shop-12"}, map[string]string{"Event": "subscribe", "EventKey": "qrscene_shop-12"})
}

// reply lets the customer do something that the package answers, and looks at the customer's phone.
func (t talk) reply(m wechatsim.Message, want map[string]string) error {
	push, err := t.push(m, []wechatsim.Outcome{wechatsim.OutcomeReplied}, want)
	if err != nil {
		return err
	}
	if push.Reply == nil {
		return errors.New("the customer's phone shows no reply")
	}
	return same("the reply on the phone", push.Reply.Text, "您好 & 欢迎")
}

func (t talk) voice() error {
	_, err := t.push(wechatsim.Message{Type: wechatsim.TypeVoice, Recognition: "我要退款"}, []wechatsim.Outcome{wechatsim.OutcomeSuccess},
		map[string]string{"MsgType": "voice", "Recognition": "我要退款"})
	return err
}
