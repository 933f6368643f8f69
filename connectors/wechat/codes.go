package wechat

import (
	"errors"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

// verdict is what an error code means for a call.
type verdict struct {
	class  connectors.Class
	reason string
	// remedy is what is done before the call is made once more.
	remedy remedy
	// after is the least time before the next try, of the whole account when it is shared.
	after  time.Duration
	shared bool
}

// remedy is what is done before a call is made once more; a call refused for these reasons had no effect.
type remedy int

const (
	noRemedy remedy = iota
	// refreshToken: the platform did not take the access token.
	refreshToken
	// reuploadMedia: the platform does not know the media id (any more).
	reuploadMedia
)

// retryMinute is the pause after a limit that counts by the minute.
const retryMinute = time.Minute

// codes is the platform's table of errors for mini-programs and official accounts. A function, so that nothing can change it.
func codes(code int) verdict {
	switch code {
	case -1:
		return verdict{class: connectors.ClassRetryLater, reason: "PlatformBusy", after: time.Second}
	case 40001, 40014, 42001, 41001:
		return verdict{class: connectors.ClassRetryLater, reason: "AccessTokenRefused", remedy: refreshToken, after: 30 * time.Second}
	case 40007:
		return verdict{class: connectors.ClassPermanent, reason: "MediaGone", remedy: reuploadMedia}
	case 45009:
		// It counts by the day in one page of the documentation, by the minute in another: the host's growing pauses serve both.
		return verdict{class: connectors.ClassRetryLater, reason: connectors.ReasonQuotaReached, after: retryMinute, shared: true}
	case 45011:
		return verdict{class: connectors.ClassRetryLater, reason: "RateLimited", after: retryMinute, shared: true}
	case 45033:
		return verdict{class: connectors.ClassRetryLater, reason: "TooManyAtOnce", after: time.Second, shared: true}
	case 48006:
		return verdict{class: connectors.ClassRetryLater, reason: "QuotaResetsSpent", after: time.Hour}
	case 45015:
		return verdict{class: connectors.ClassWindowClosed, reason: "WindowClosed"}
	case 45047:
		return verdict{class: connectors.ClassQuotaSpent, reason: "QuotaSpent"}
	}
	if reason, ok := accountReason(code); ok {
		return verdict{class: connectors.ClassCredentials, reason: reason}
	}
	return verdict{class: connectors.ClassPermanent, reason: permanentReason(code)}
}

// accountReason names what is wrong with the account: nothing can be sent until somebody mends it.
func accountReason(code int) (string, bool) {
	switch code {
	case 40013:
		return "InvalidAppID", true
	case 40125:
		return "InvalidAppSecret", true
	case 40243:
		return "AppSecretFrozen", true
	case 40164, 61004:
		return "AddressNotAllowed", true
	case 89503, 89506, 89507:
		return "AddressNotConfirmed", true
	case 40200:
		return "InvalidAccountType", true
	case 48001:
		return connectors.ReasonNotAuthorized, true
	case 48004:
		return "APIBlocked", true
	default:
		return "", false
	}
}

// permanentReason names why a message can never be sent.
func permanentReason(code int) string {
	switch code {
	case 40003:
		return "InvalidCustomer"
	case 40008, 45162, 48008:
		return "TypeNotSupported"
	case 43004, 43019, 48002:
		return "CustomerRefuses"
	case 44004:
		return "EmptyMessage"
	case 45001, 45002, 45008:
		return "TooLarge"
	case 45072, 45080, 45081:
		return "TypingRefused"
	case 50002:
		return "CustomerRestricted"
	default:
		return "Refused"
	}
}

// noticeCodes is the table for notices: what keeps an account from them alone must not keep it from answering customers.
func noticeCodes(code int) verdict {
	v := codes(code)
	switch code {
	case 40037:
		v.reason = "InvalidTemplate"
	case 47003:
		v.reason = "InvalidValues"
	case 48001:
		v.class = connectors.ClassPermanent
	}
	v.shared = false
	return v
}

// tokenCodes is the table for the calls that fetch an access token, where 40001 speaks of the secret.
func tokenCodes(code int) verdict {
	if code == 40001 {
		return verdict{class: connectors.ClassCredentials, reason: "InvalidAppSecret"}
	}
	v := codes(code)
	v.remedy = noRemedy
	if v.class == connectors.ClassPermanent {
		// No message can be blamed for a token that is refused, so none may be failed for it.
		v.class, v.after = connectors.ClassRetryLater, 30*time.Second
	}
	return v
}

func (v verdict) failure(code int) *connectors.CallError {
	return &connectors.CallError{Class: v.class, Code: code, Reason: v.reason, RetryAfter: v.after, Shared: v.shared}
}

// IsMediaGone says whether a call was refused because the platform does not know the media id (any more).
func IsMediaGone(err error) bool { return remedyOf(err) == reuploadMedia }

func remedyOf(err error) remedy {
	if failure, ok := errors.AsType[*connectors.CallError](err); ok {
		return codes(failure.Code).remedy
	}
	return noRemedy
}
