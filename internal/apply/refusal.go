package apply

import (
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refused says whether the API server does not take an object, and would not if it were asked again.
func refused(err error) bool {
	return !NamespaceEnds(err) && (apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err))
}

// RefusedError says which objects of a phase the API server refuses, in the order in which they are rendered.
type RefusedError struct {
	Refusals []Refusal
}

// Refusal is what the API server answers to one object.
type Refusal struct {
	// Object is named by kind and name.
	Object string
	// Err is the whole answer.
	Err error
}

// Error implements error.
func (e *RefusedError) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap returns the answers.
func (e *RefusedError) Unwrap() []error {
	answers := make([]error, 0, len(e.Refusals))
	for _, refusal := range e.Refusals {
		answers = append(answers, refusal.Err)
	}
	return answers
}

// Why is the API server's reason, and for an object that is invalid the fields: they say the same at each try. The words of whoever
// else forbids it may not, and are left out.
func (r Refusal) Why() string {
	why := string(apierrors.ReasonForError(r.Err))
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(r.Err) || !errors.As(r.Err, &status) || status.Status().Details == nil {
		return why
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, cause.Field+": "+cause.Message)
	}
	if len(fields) == 0 {
		return why
	}
	return why + ": " + strings.Join(fields, ", ")
}
