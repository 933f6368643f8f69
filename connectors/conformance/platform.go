package conformance

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
)

// Platform is the other side of a connector's wire. It ends with the test that made it, and fails that test when it cannot do
// what it is asked.
type Platform interface {
	// APIBaseURL is the address that Channels name, "" when they name none.
	APIBaseURL() string
	// Open opens an account for the Channel of that name.
	Open(channel string) Account
	// Customer is the n-th customer's id, as envelopes carry it.
	Customer(n int) string
}

// Account is one account at the platform, with what a brand declares of it. It is safe for concurrent use by customers.
type Account interface {
	// Spec is that of the Channel; the brand is filled in.
	Spec() v1alpha1.ChannelSpec
	// Secret is what the Channel's Secret should hold now.
	Secret() map[string][]byte
	// CallAt tells the platform where the Channel takes its calls.
	CallAt(url string)
	// Write lets a customer write a text, and waits until the platform has been told that it is taken, or has given up.
	Write(customer, text string) Written
	// Received are the texts that a customer got from the account, in order.
	Received(customer string) []string
	// Sends is how often the connector has asked the platform to send a message.
	Sends() int
}

// Written is what became of something that a customer did.
type Written struct {
	// MessageID is the platform's name of it, which the envelope carries.
	MessageID string
	// Taken says that the platform was told that it is taken, after so many Tries, the last of which took Took.
	Taken bool
	Tries int
	Took  time.Duration
}

// Repeater is an Account whose platform may deliver a message more than once.
type Repeater interface {
	// Repeat delivers it once more, to a replica, and says whether it was taken.
	Repeat(written Written, url string) (taken bool)
}

// Unusual is an Account whose customers can do what the connector does not know.
type Unusual interface {
	// WriteUnknown does something of an unknown type that holds the words.
	WriteUnknown(customer, words string) Written
}

// Exposed is an Account whose Channel anybody may call.
type Exposed interface {
	// BadCalls are calls that must be refused, each with the words in it, and one at least Endless.
	BadCalls(words string) []BadCall
}

// BadCall is a call that no platform makes.
type BadCall struct {
	Name string
	// Endless says that the call goes on until it is answered.
	Endless bool
	// Call makes it at that URL.
	Call func(ctx context.Context, url string) (Answer, error)
}

// Answer is what a BadCall got.
type Answer struct {
	// Refused says that the caller was told so.
	Refused bool
	Text    string
	// Sent is how much of the call went out before the answer came.
	Sent int64
}

// Failing is an Account whose platform can be made to fail.
type Failing interface {
	// FailNext makes the next message to the customer end that way.
	FailNext(customer string, how Failure)
}

// Failure is a way in which a send ends.
type Failure int

// The failures.
const (
	// Busy refuses the message and may take it later.
	Busy Failure = iota
	// AnswerLost sends the message; the connector gets no answer.
	AnswerLost
	// AnswerLate sends the message, and answers two seconds later.
	AnswerLate
	// WindowClosed refuses the message until the customer writes.
	WindowClosed
	// QuotaSpent refuses the message for the customer got as many as the platform allows.
	QuotaSpent
)

// Noticing is an Account whose Channel declares a template for notices.
type Noticing interface {
	// Notice is one that fills the template, and how the customer reads it.
	Notice() (notice message.Notice, read string)
	// RefuseNotice makes the platform refuse the next notice, for it has sent too many. It takes the one after it.
	RefuseNotice(customer string)
	// BlockNotices makes the platform take notices for the customer, and say of each later that it did not arrive.
	BlockNotices(customer string)
}

// Rotator is an Account whose keys can be changed without a message being lost.
type Rotator interface {
	// Announce makes new keys: Secret holds them beside the old ones, which the platform still uses.
	Announce()
	// Rotate makes the platform use the new keys, and Secret hold no others.
	Rotate()
}

// Revoker is an Account whose credentials can be taken back.
type Revoker interface {
	// Revoke makes the platform refuse the credentials for sending, at once. Secret holds those that are good from then on.
	Revoke()
}
