// Package connectors is the contract between a channel's protocol and the host that runs it.
//
// A protocol is a Type: one package, and one line in connectors/registry. The host (connectors/host) owns everything that
// protocols share: the webhook server, durability, Kafka both ways, the spool, quota, order per customer, retries, media
// rows, credentials' state and metrics. A protocol verifies, decodes, encodes and calls its platform, and it says of each
// failure what may be done about it.
//
// A protocol must not know Kafka, Postgres or Kubernetes, must not retry a send whose outcome it does not know, and must not
// put message bodies, customer ids or secrets into errors: their texts are logged.
package connectors

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
)

// Type is a kind of Channel. It is safe for concurrent use.
type Type interface {
	// Name is the spec.type of the Channels it serves.
	Name() v1alpha1.ChannelType
	// Needs tells what of the Channel's spec its connectors depend on.
	Needs(channel *v1alpha1.Channel) (Needs, error)
	// Open makes the connector of one Channel. It calls nobody. The error says what to do and is shown to users.
	Open(config Config) (Connector, error)
}

// Needs is what a connector depends on.
type Needs struct {
	// SecretName names the Secret with the credentials.
	SecretName string
	// Fingerprint differs when a connector has to be opened again; what it leaves out can change without.
	Fingerprint string
	// APIBaseURL is the platform's address, which must be on the allow-list.
	APIBaseURL string
}

// Config is what a connector is made of.
type Config struct {
	Channel *v1alpha1.Channel
	// Secret holds the credentials by key.
	Secret   map[string][]byte
	Services Services
}

// Services are what the host does for connectors. All of it is safe for concurrent use.
type Services struct {
	Clock  func() time.Time
	Logger *slog.Logger
	Files  Files
	Tokens TokenGuard
	// ObserveCall is told of each call of the platform: its name, how it ended (the class of the failure, or "ok") and its time.
	ObserveCall func(call, outcome string, took time.Duration)
}

// Files are what agents send; the host keeps them. Every method is about files of one Channel.
type Files interface {
	// Read returns a stored file. ErrNoFile is one that is not there.
	Read(ctx context.Context, channel string, id uuid.UUID) (File, error)
	// Uploaded returns the platform's id of a file that was uploaded before, "" without one.
	Uploaded(ctx context.Context, channel string, id uuid.UUID) (platformID string, err error)
	// SetUploaded remembers the platform's id until it expires.
	SetUploaded(ctx context.Context, channel string, id uuid.UUID, platformID string, expires time.Time) error
}

// TokenGuard spaces the forced refreshes of access tokens over all replicas.
type TokenGuard interface {
	// MayForce says whether the caller may force a refresh now; nobody else may for a while after a yes.
	MayForce(ctx context.Context, account string) (bool, error)
}

// File is a picture or another file.
type File struct {
	ContentType string
	Data        []byte
}

// Connector is one Channel being served. It is safe for concurrent use. It may also be a Webhook, a FileSource, a
// ProfileSource, a MenuKeeper and a Notifier.
type Connector interface {
	// Send says something to a customer, or shows that somebody types. A *CallError tells what may be done; any other error
	// means that nobody knows whether it arrived.
	Send(ctx context.Context, out message.Outbound) error
	// Check asks the platform whether the credentials are good.
	Check(ctx context.Context) error
}

// Webhook is a Connector whose platform calls us.
type Webhook interface {
	// Receive verifies and decodes one call. A *RefusedError tells why it is refused.
	Receive(r *http.Request) (Received, error)
}

// Received is one call of the platform.
type Received struct {
	// Messages are what customers did. The host answers only when they are durable.
	Messages []message.Inbound
	// Undelivered are notices of which the platform says now that they did not reach the customer.
	Undelivered []Undelivered
	// Answer is the body of the answer.
	Answer string
	// Reply makes an answer that says something to the customer; false where the platform cannot carry it. It is nil where
	// the platform's calls are not answered so. Only one message has a Reply.
	Reply func(contents []message.Content) (answer string, ok bool)
}

// Undelivered is a notice that the platform took and did not deliver.
type Undelivered struct {
	Customer string
	// PlatformID is what Notify returned.
	PlatformID string
	// Reason is as of a CallError.
	Reason string
}

// ProfileSource is a Connector whose platform can say who a customer is.
type ProfileSource interface {
	// Profile asks. loginCode redeems a login of the customer's, "" without one.
	Profile(ctx context.Context, customer, loginCode string) (Profile, error)
}

// Profile is who a customer is to the platform.
type Profile struct {
	// UnionID is the same in all accounts of one owner; "" where the platform does not say.
	UnionID string
	// SubscribedAt is since when they follow the account, zero for who does not, and SubscribeScene how they came to.
	SubscribedAt   time.Time
	SubscribeScene string
}

// Notifier is a Connector whose platform sends notices by templates, also to customers who may be sent nothing else.
type Notifier interface {
	// Notify sends out.Content.Notice by the template that the Channel declares for its name; one that it does not declare is
	// refused for ReasonNoTemplate. Errors are as of Send. One for ReasonNotAuthorized or ReasonQuotaReached is about notices
	// alone. platformID is by what the platform names the notice when it says later that it did not arrive; "" where it does not.
	Notify(ctx context.Context, channel *v1alpha1.Channel, out message.Outbound) (platformID string, err error)
}

// MenuKeeper is a Connector whose platform shows a menu beside the chat.
type MenuKeeper interface {
	// KeepMenu brings the menu to what the Channel declares, or removes the one that we published where it declares none. ours is
	// Menu.Published of the last time, "" where nothing there is ours. It writes nothing where nothing differs.
	KeepMenu(ctx context.Context, channel *v1alpha1.Channel, ours string) (Menu, error)
}

// Menu is what is shown beside the chat.
type Menu struct {
	// Published tells what of ours is there, "" for nothing.
	Published string
	// Others are menus that somebody else has made and that only some customers see.
	Others int
}

// FileSource is a Connector from whose platform the files of customers can be fetched.
type FileSource interface {
	FetchFile(ctx context.Context, platformID string) (File, error)
}
