// Package oncall is what a Brand's webhook is told when those on call are called: where it may be, what it gets, and how it knows
// that nobody else sent it.
//
// It sends nothing. Invariants: a Notice holds names of objects, the SkillGroup's display name, numbers and times, never anything of a
// customer; a call for help has one ID, however often it is sent.
package oncall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Headers of a call of the webhook.
const (
	// HeaderSignature holds what Sign returns.
	HeaderSignature = "Yingda-Signature"
	// HeaderIdempotencyKey holds the ID of the Notice.
	HeaderIdempotencyKey = "Idempotency-Key"
)

// The Types of Notices.
const (
	// TypeCalled is of a SkillGroup that lacks agents.
	TypeCalled = "OnCallCalled"
	// TypeEmergency is of complaints far above the usual. Its SkillGroup is empty where they concern the whole brand, and it wants
	// no number of agents.
	TypeEmergency = "EmergencyOpened"
)

// Notice is the body of a call of the webhook, as JSON.
type Notice struct {
	// ID is the same however often the call is sent.
	ID         string `json:"id"`
	Type       string `json:"type"`
	Namespace  string `json:"namespace"`
	Brand      string `json:"brand"`
	SkillGroup string `json:"skillGroup"`
	// DisplayName of the SkillGroup, its name where it has none; of the Brand where no SkillGroup is named.
	DisplayName string `json:"displayName"`
	// Since is when the group began to lack agents, or the emergency was seen.
	Since time.Time `json:"since"`
	// Wanted and OnDuty are how many agents there should be and were when the call began.
	Wanted int32 `json:"wanted"`
	OnDuty int32 `json:"onDuty"`
	// OnCall are the names of the Agents who are called, sorted.
	OnCall []string `json:"onCall"`
	// Shortfalls are the coming hours, up to a day ahead, for which the schedule wants fewer agents than the forecast; missing where
	// there are none, and where nothing is forecast.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
}

// Shortfall is a part of the coming day in which agents will be missing.
type Shortfall struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Wanted is how many agents the forecast wants, and Scheduled how many the schedule does.
	Wanted    int32 `json:"wanted"`
	Scheduled int32 `json:"scheduled"`
}

// ID is that of the call of a group that began to lack agents at that time.
func ID(namespace, brand, group string, since time.Time) string {
	return strings.Join([]string{namespace, brand, group, strconv.FormatInt(since.Unix(), 10)}, "/")
}

// Host is where an address leads, in lower case, with a port if it is not 443. The errors quote nothing of the address.
func Host(address string) (string, error) {
	parsed, err := url.Parse(address)
	switch {
	case err != nil:
		return "", errors.New("write it as https://host/path")
	case parsed.Scheme != "https":
		return "", errors.New("write it with https: calls for help are not sent in plain text")
	case parsed.Hostname() == "":
		return "", errors.New("write it with a host")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return "", errors.New("write it without user, query and fragment: whoever reads the Brand would read them")
	}
	if port := parsed.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("write it with a port from 1 to 65535, not %s", port)
		}
	}
	return plain(parsed.Host), nil
}

// Allowed says whether an address leads to one of the hosts.
func Allowed(address string, hosts []string) bool {
	host, err := Host(address)
	return err == nil && slices.ContainsFunc(hosts, func(allowed string) bool { return plain(allowed) == host })
}

func plain(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":443") }

// Sign is the signature of a body that is sent at that time: t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>. The time is
// signed, too, so that an old call cannot be sent again as a new one.
func Sign(key, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// signedFor is how far the clocks of who signs and who verifies may be apart, and for how long a call may travel.
const signedFor = 5 * time.Minute

// Verify says whether a signature is that of a body by the key, of about now. A wrong one takes as long as a right one.
func Verify(key, body []byte, signature string, now time.Time) bool {
	stamp, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(key) == 0 {
		return false
	}
	at := time.Unix(seconds, 0)
	right := hmac.Equal([]byte(Sign(key, body, at)), []byte(signature))
	return right && now.Sub(at).Abs() <= signedFor
}
