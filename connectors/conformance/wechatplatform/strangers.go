package wechatplatform

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/connectors/conformance"
)

// stranger is a bad call: what is signed how.
type stranger struct {
	name, query, body string
	endless           bool
}

// BadCalls are pushes that WeChat does not make.
func (a *Account) BadCalls(words string) []conformance.BadCall {
	good := `{"FromUserName":"o1","CreateTime":1482048670,"MsgType":"text","MsgId":1,"Content":"` + words + `"}`
	encrypted := func(text string) string { return `{"Encrypt":"` + text + `"}` }
	now := time.Now()
	aes := "encrypt_type=aes"
	var calls []conformance.BadCall
	for _, s := range []stranger{
		{name: "no signature", body: good},
		{name: "a bad signature", query: "timestamp=1&nonce=1&signature=" + strings.Repeat("0", 40), body: good},
		{name: "eleven minutes old", query: a.signed(now.Add(-11*time.Minute), aes), body: good},
		{name: "eleven minutes ahead", query: a.signed(now.Add(11*time.Minute), aes), body: good},
		{name: "plaintext to a secure Channel", query: a.signed(now), body: good},
		{name: "a body that is said to be encrypted and is not", query: a.signed(now, aes), body: good},
		{name: "a plain signature on an encrypted body", query: a.signed(now, aes), body: encrypted(words)},
		{name: "what cannot be decrypted", query: a.signed(now, aes, "msg_signature="+a.sign(now, words)), body: encrypted(words)},
		{name: "broken JSON", query: a.signed(now, aes), body: `{"Content":"` + words},
		{name: "broken XML", query: a.signed(now, aes), body: "<xml><Content>" + words},
		{name: "an entity bomb", query: a.signed(now, aes), body: `<!DOCTYPE x [<!ENTITY a "` + words + `">]><xml><Content>&a;</Content></xml>`},
		{name: "a signed body without end", query: a.signed(now, aes), body: `{"Content":"` + words, endless: true},
	} {
		call := conformance.BadCall{Name: s.name, Endless: s.endless}
		call.Call = func(ctx context.Context, url string) (conformance.Answer, error) {
			if s.endless {
				return conformance.PostEndlessly(ctx, url+"?"+s.query, s.body)
			}
			return conformance.Post(ctx, url+"?"+s.query, s.body)
		}
		calls = append(calls, call)
	}
	return calls
}

const nonce = "n1"

// signed is a query as the platform signs one, which says nothing of the body.
func (a *Account) signed(at time.Time, more ...string) string {
	query := fmt.Sprintf("timestamp=%d&nonce=%s&signature=%s", at.Unix(), nonce, a.sign(at))
	return strings.Join(append([]string{query}, more...), "&")
}

func (a *Account) sign(at time.Time, more ...string) string {
	parts := append([]string{a.App.Token, strconv.FormatInt(at.Unix(), 10), nonce}, more...)
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
