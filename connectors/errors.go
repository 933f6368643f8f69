package connectors

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoFile says that a file is not there: never stored, or another Channel's.
var ErrNoFile = errors.New("the file is not stored")

// The reasons that the host tells users of by conditions of their own.
const (
	// ReasonNotAuthorized: the account may not make the call, whatever its credentials.
	ReasonNotAuthorized = "APINotAuthorized"
	// ReasonQuotaReached: the account has made the call as often as it may, for today.
	ReasonQuotaReached = "APIQuotaReached"
)

// Why a notice that the platform took did not reach the customer.
const (
	ReasonBlockedByCustomer = "BlockedByCustomer"
	ReasonPlatformFailed    = "PlatformFailed"
)

// ReasonNoTemplate is why a notice cannot be sent for which the Channel declares no template.
const ReasonNoTemplate = "NoTemplate"

// Class says what may be done about a failure.
type Class string

// The classes of failures.
const (
	// ClassRetryLater was certainly not done and may work later.
	ClassRetryLater Class = "RetryLater"
	// ClassWindowClosed and ClassQuotaSpent were refused because the customer has to write first; they correct our ledger.
	ClassWindowClosed Class = "WindowClosed"
	ClassQuotaSpent   Class = "QuotaSpent"
	// ClassCredentials was refused because of the Channel's account: nothing can be sent until somebody mends it.
	ClassCredentials Class = "Credentials"
	// ClassPermanent was refused for good.
	ClassPermanent Class = "Permanent"
	// ClassUnknown may have been done.
	ClassUnknown Class = "Unknown"
)

// CallError is a call of the platform that did not succeed.
type CallError struct {
	Class Class
	// Code is the platform's, 0 without one.
	Code int
	// Reason is a short English identifier, which agents and metrics see.
	Reason string
	// RetryAfter is the least time to wait; the host waits longer when it has tried before.
	RetryAfter time.Duration
	// Shared says that the limit is the account's: whatever else the Channel sends has to wait as well.
	Shared bool
	// Err is the cause, if there is one.
	Err error
}

func (f *CallError) Error() string {
	text := fmt.Sprintf("%s (%s)", f.Reason, f.Class)
	if f.Code != 0 {
		text = fmt.Sprintf("%s (%s, code %d)", f.Reason, f.Class, f.Code)
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

func (f *CallError) Unwrap() error { return f.Err }

// AsCallError turns any error into a CallError: an error that is none means that nobody knows.
func AsCallError(err error) *CallError {
	if failure, ok := errors.AsType[*CallError](err); ok {
		return failure
	}
	return &CallError{Class: ClassUnknown, Reason: "NoAnswer", Err: err}
}

// RefusedError is a webhook call that is not accepted.
type RefusedError struct {
	// Status is the HTTP status of the answer.
	Status int
	// Reason is a short English identifier for metrics; it holds nothing of the call.
	Reason string
}

func (r *RefusedError) Error() string { return "refused: " + r.Reason }

// Refuse makes a RefusedError.
func Refuse(status int, reason string) error { return &RefusedError{Status: status, Reason: reason} }
