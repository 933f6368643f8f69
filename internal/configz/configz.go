// Package configz is the contract by which a replica of the data plane tells the operator what it serves.
//
// Every data-plane pod answers GET /configz with a Report. The operator asks each ready pod and writes the condition
// Acknowledged once all of them serve the current generation; the data plane itself writes nothing to the API server.
package configz

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Path is where a replica serves its report, on the health port.
const Path = "/configz"

// HealthPort is the port of every data-plane pod that serves /healthz, /readyz, /metrics and /configz.
const HealthPort = 8081

const maxReportBytes = 8 << 20

// Credentials is what the platform said of a Channel's credentials.
type Credentials string

// The states of credentials. Rejected credentials stop their own Channel, never its pool.
const (
	CredentialsNotYetTried Credentials = "NotYetTried"
	CredentialsAccepted    Credentials = "Accepted"
	CredentialsRejected    Credentials = "Rejected"
)

// Dependency is a service that replicas work with and that is somebody else's.
type Dependency string

// The dependencies.
const (
	Kafka    Dependency = "Kafka"
	Postgres Dependency = "Postgres"
	Temporal Dependency = "Temporal"
)

// Report is what one replica serves.
type Report struct {
	// Objects holds the generation in force of each object, by "<Kind>/<name>".
	Objects map[string]int64 `json:"objects"`
	// Kinds are those of which Objects tells, sorted. Only connectors that let the bot speak say so: of which they tell has changed, and
	// nobody is to wait for one that does not tell of a kind.
	Kinds []string `json:"kinds,omitempty"`
	// Channels holds what connectors know of their Channels, and routers of those that are being deleted, by name.
	Channels map[string]Channel `json:"channels,omitempty"`
	// SignedInAgents are the names of Agents who have signed in at least once; only the desk knows.
	SignedInAgents []string `json:"signedInAgents,omitempty"`
	// OnDutyAgents are the names of Agents who are on duty; only the desk knows. nil means that the replica cannot say, which is
	// not the same as nobody.
	OnDutyAgents []string `json:"onDutyAgents,omitzero"`
	// Queues holds who waits for an agent of each SkillGroup, by name; groups for which nobody waits are left out. Only routers
	// know. nil means that the replica cannot say.
	Queues map[string]Queue `json:"queues,omitzero"`
	// Workloads are what the SkillGroups have to do, by name; only routers know. What they have not counted yet is missing.
	Workloads map[string]Workload `json:"workloads,omitempty"`
	// Calls say what came of the last call for help of each SkillGroup, by name, where the Brand's webhook was called; only routers
	// know. nil means that the replica cannot say.
	Calls map[string]Call `json:"calls,omitzero"`
	// Keys are the brand's own; only the workflow worker tells.
	Keys *Keys `json:"keys,omitempty"`
	// Mail is what came of the replica's last try to hand in a mail; only workflows know. nil while it has not tried, and nothing is missing.
	Mail *Mail `json:"mail,omitempty"`
	// Objectives are what customers got of what ServiceLevels want, by the name of the ServiceLevel; only routers know. What they have not
	// measured yet is missing. nil means that the replica cannot say.
	Objectives map[string]Measured `json:"objectives,omitzero"`
	// Reached says of each service that the replica works with whether it can be reached; false once it has not for some 15 s.
	// One of which the replica cannot say yet is left out.
	Reached map[Dependency]bool `json:"reached,omitempty"`
	// Failing says what keeps a setup that goes on trying, and what to do about it; it holds no secret. Only setups know.
	Failing string `json:"failing,omitempty"`
	// Doing is what a setup is at that takes long, and how far; empty while nothing does. Only setups know.
	Doing string `json:"doing,omitempty"`
}

// Keys are those by which the brand's data are encrypted.
type Keys struct {
	Count int `json:"count"`
	// MadeAt is when the one that encrypts was made, NextMadeAt when the one that is to be next; nil while there is none.
	MadeAt     time.Time  `json:"madeAt"`
	NextMadeAt *time.Time `json:"nextMadeAt,omitempty"`
}

// Queue is who waits for a SkillGroup's agents.
type Queue struct {
	Waiting int64 `json:"waiting"`
	// OldestSince is since when the one who has waited longest waits.
	OldestSince time.Time `json:"oldestSince"`
}

// Call is what came of a call for help by webhook.
type Call struct {
	// Since is when the group began to lack agents, which tells one call from the next, and Attempts how often it was sent.
	Since    time.Time `json:"since"`
	Attempts int32     `json:"attempts"`
	// Outcome is that of the last attempt, and Code the status of an answer that refused it.
	Outcome CallOutcome `json:"outcome"`
	Code    int32       `json:"code,omitempty"`
	// GivenUp says that it is not sent again.
	GivenUp bool `json:"givenUp,omitempty"`
}

// CallOutcome is what came of an attempt to call a webhook.
type CallOutcome string

// The outcomes of attempts to call a webhook.
const (
	CallDelivered CallOutcome = "delivered"
	// CallRefused: no answer from 200 to 299.
	CallRefused     CallOutcome = "refused"
	CallUnreachable CallOutcome = "unreachable"
	// CallUntrusted: its certificate is of nobody whom the replica trusts, or the authorities to trust could not be read.
	CallUntrusted CallOutcome = "untrusted"
	// CallUnsigned was not sent: the key could not be read.
	CallUnsigned CallOutcome = "unsigned"
)

// Mail is what came of a try to hand a mail to the Brand's mail server.
type Mail struct {
	At      time.Time   `json:"at"`
	Outcome MailOutcome `json:"outcome"`
	// Code is the server's, where it gave one.
	Code int32 `json:"code,omitempty"`
}

// MailOutcome is what came of a try to hand in a mail.
type MailOutcome string

// The outcomes of tries to hand in mails.
const (
	MailTaken MailOutcome = "taken"
	// MailRefused for good, MailDeferred until later.
	MailRefused     MailOutcome = "refused"
	MailDeferred    MailOutcome = "deferred"
	MailUnreachable MailOutcome = "unreachable"
	// MailUntrusted: the server is not known to be who it says, or offers no secured connection.
	MailUntrusted MailOutcome = "untrusted"
	// MailNotSignedIn: the server does not take the credentials.
	MailNotSignedIn MailOutcome = "notSignedIn"
	// MailNoCredentials: they cannot be read, which is known before anything is tried.
	MailNoCredentials MailOutcome = "noCredentials"
)

// Workload is what a SkillGroup has to do, from its own history.
type Workload struct {
	// At is when it was looked at.
	At time.Time `json:"at"`
	// Arrivals are the most contacts that came within one hour, of the hours that end now and with the last quarter of an hour.
	// Within a quarter it does not fall.
	Arrivals float64 `json:"arrivals"`
	// HandlingSeconds are how long a contact takes from its assignment to its end, on average; 0 while none was handled lately.
	HandlingSeconds float64 `json:"handlingSeconds,omitempty"`
	// Forecast is nil while there is too little history.
	Forecast *Forecast `json:"forecast,omitempty"`
}

// Measured is what customers got of a ServiceLevel's objectives.
type Measured struct {
	// At is when it was measured.
	At time.Time `json:"at"`
	// Rules are those by which it was; another generation of the ServiceLevel may have others.
	Rules string `json:"rules"`
	// Tallies by objective.
	Tallies map[string]Tally `json:"tallies"`
}

// Tally is what was counted of an objective: of the customers whom it is about, those who got what is wanted, or the sum of their
// ratings.
type Tally struct {
	Sum int64 `json:"sum"`
	Of  int64 `json:"of"`
}

// Forecast is what the day ahead will bring.
type Forecast struct {
	// From is the start of the first hour.
	From time.Time `json:"from"`
	// Arrivals are the contacts of each hour.
	Arrivals []float64 `json:"arrivals"`
	// MeanAbsoluteError is by how many contacts an hour such a forecast is off on average; nil while nobody can say.
	MeanAbsoluteError *float64 `json:"meanAbsoluteError,omitempty"`
}

// Channel is what one replica knows of a Channel: a router, of one that is being deleted, UnreadSeconds and OnTheWay, a connector the
// rest.
type Channel struct {
	// Credentials says whether the platform accepted them.
	Credentials Credentials `json:"credentials,omitempty"`
	// Message says why they were rejected; it holds no secret.
	Message string `json:"message,omitempty"`
	// Reason is the platform's answer to credentials that it rejects, by a short name; "" for others.
	Reason string `json:"reason,omitempty"`
	// Denied are the calls that the platform refuses because the account may not make them: send, media, user, menu or template. Limited are
	// those that it has made as often as it may. Both sorted.
	Denied  []string `json:"denied,omitempty"`
	Limited []string `json:"limited,omitempty"`
	// Menu is nil where there is none, and while nobody has looked at it.
	Menu *Menu `json:"menu,omitempty"`
	// SecretVersion is the resourceVersion of the Secret in force.
	SecretVersion string `json:"secretVersion,omitempty"`
	// UnreadSeconds is how long ago the oldest message of a customer may have come that no router has taken in: all that
	// connectors took before is. Only routers know, and only of a Channel that is being deleted. nil means that nobody could say,
	// as while some wait in the spool.
	UnreadSeconds *float64 `json:"unreadSeconds,omitempty"`
	// OnTheWay is how many messages to customers are not settled; only routers know, and only of a Channel that is being
	// deleted. nil means that nobody could say.
	OnTheWay *int64 `json:"onTheWay,omitempty"`
	// WebhookCalled says whether the platform has called the webhook with a good signature.
	WebhookCalled bool `json:"webhookCalled,omitempty"`
}

// Menu is what is known of the menu of a Channel.
type Menu struct {
	// Generation is the Channel's by which the menu was looked at last.
	Generation int64 `json:"generation"`
	// State is MenuPublished, MenuAbsent or why the platform did not have it so, and Code its code.
	State string `json:"state"`
	Code  int    `json:"code,omitempty"`
	// Others are menus that only some customers see and that are not ours.
	Others int `json:"others,omitempty"`
	// Ours says that the platform shows, as far as anybody knows, a menu that we published.
	Ours bool `json:"ours,omitempty"`
}

// The states of menus that nothing is wrong with.
const (
	// MenuPublished: the platform shows what is declared.
	MenuPublished = "Published"
	// MenuAbsent: nothing is declared, and nothing of ours is there.
	MenuAbsent = "Absent"
)

// ObjectKey is the key of an object in Report.Objects.
func ObjectKey(kind, name string) string { return kind + "/" + name }

// Handler serves the report that current returns at the time of the request.
func Handler(current func() Report) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "use GET", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// The status line is gone when encoding fails; the asker sees broken JSON and asks again.
		_ = json.NewEncoder(w).Encode(current())
	})
}

// Ask fetches the report of the replica whose health port is at baseURL, for example http://10.98.0.7:8081.
func Ask(ctx context.Context, client *http.Client, baseURL string) (Report, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+Path, http.NoBody)
	if err != nil {
		return Report{}, fmt.Errorf("making the configz request: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Report{}, fmt.Errorf("asking a replica for its configuration: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Report{}, fmt.Errorf("asking a replica for its configuration: status %d", resp.StatusCode)
	}
	var report Report
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReportBytes)).Decode(&report); err != nil {
		return Report{}, fmt.Errorf("reading a replica's configuration: %w", err)
	}
	return report, nil
}
