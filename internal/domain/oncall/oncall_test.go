package oncall

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestWhereAWebhookMayBe(t *testing.T) {
	hosts := []string{"pager.example", "pager.infra:8443", "10.0.0.7"}
	for name, tt := range map[string]struct {
		address string
		want    bool
	}{
		"a host on the list":            {"https://pager.example/call", true},
		"the same in capitals":          {"https://PAGER.example/call", true},
		"the same with its port":        {"https://pager.example:443", true},
		"the same at another port":      {"https://pager.example:8443/call", false},
		"a host with its port":          {"https://pager.infra:8443/call", true},
		"the same at the usual port":    {"https://pager.infra/call", false},
		"a private address on the list": {"https://10.0.0.7/call", true},
		"a private address that is not": {"https://10.0.0.8/call", false},
		"loopback":                      {"https://127.0.0.1/call", false},
		"a host below one on the list":  {"https://evil.pager.example/call", false},
		"plain text":                    {"http://pager.example/call", false},
		"a user who looks like a host":  {"https://pager.example@evil.example/", false},
		"a user":                        {"https://user@pager.example/", false},
		"a query":                       {"https://pager.example/?key=1", false},
		"an empty query":                {"https://pager.example/?", false},
		"a fragment":                    {"https://pager.example/#key", false},
		"no host":                       {"https:///call", false},
		"no port that there is":         {"https://pager.example:99999/", false},
		"what is no address":            {"https://pager.example:x/%zz", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Allowed(tt.address, hosts); got != tt.want {
				t.Errorf("allowed: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestTheErrorsQuoteNothing(t *testing.T) {
	for _, address := range []string{"https://me:hidden@pager.example", "https://pager.example/?hidden", "https://pager.example/#hidden", "://hidden", "hidden"} {
		if _, err := Host(address); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What receivers check, and read, must stay as it is; the signature was computed by openssl.
func TestWhatGoesOut(t *testing.T) {
	at := time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)
	body, err := json.Marshal(Notice{
		ID: ID("lumi", "lumi", "after-sales", at), Type: TypeCalled, Namespace: "lumi", Brand: "lumi", SkillGroup: "after-sales", DisplayName: "售后",
		Since: at, Wanted: 3, OnDuty: 1, OnCall: []string{"laozhang"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"lumi/lumi/after-sales/1794369600","type":"OnCallCalled","namespace":"lumi","brand":"lumi","skillGroup":"after-sales","displayName":"售后","since":"2026-11-11T04:00:00Z","wanted":3,"onDuty":1,"onCall":["laozhang"]}`
	if string(body) != want {
		t.Errorf("body is\n%s, want\n%s", body, want)
	}
	short, err := json.Marshal(Notice{Since: at, Shortfalls: []Shortfall{{From: at, To: at.Add(2 * time.Hour), Wanted: 4, Scheduled: 3}}})
	if want := `"shortfalls":[{"from":"2026-11-11T04:00:00Z","to":"2026-11-11T06:00:00Z","wanted":4,"scheduled":3}]`; err != nil || !strings.Contains(string(short), want) {
		t.Errorf("body is %s, want it to hold %s, err %v", short, want, err)
	}
	const signed = "t=1794369600,v1=3ce2257938a05a3f692ca9af7f9149f0468f9d9b424f11804028b99d88f57383"
	if got := Sign([]byte("secret"), body, at); got != signed {
		t.Errorf("signature is %s, want %s", got, signed)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1794369600, 0)
	key, body := []byte("secret"), []byte(`{"key":"1"}`)
	signature := Sign(key, body, now)
	for name, tc := range map[string]struct {
		key, body []byte
		signature string
		now       time.Time
		want      bool
	}{
		"as it was signed":         {key, body, signature, now, true},
		"a clock that is ahead":    {key, body, signature, now.Add(-signedFor), true},
		"a call that is old":       {key, body, signature, now.Add(signedFor + time.Second), false},
		"a call of the future":     {key, body, signature, now.Add(-signedFor - time.Second), false},
		"another body":             {key, []byte(`{"key":"2"}`), signature, now, false},
		"another key":              {[]byte("other"), body, signature, now, false},
		"an empty key":             {nil, body, Sign(nil, body, now), now, false},
		"another time":             {key, body, strings.Replace(signature, "t=1794369600", "t=1794369601", 1), now, false},
		"a longer list":            {key, body, signature + ",v1=00", now, false},
		"nothing":                  {key, body, "", now, false},
		"something without a time": {key, body, "v1=00", now, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Verify(tc.key, tc.body, tc.signature, tc.now); got != tc.want {
				t.Errorf("verified %t, want %t", got, tc.want)
			}
		})
	}
}
