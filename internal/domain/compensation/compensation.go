// Package compensation says what may be offered to who complained, and by whom.
//
// It holds no money and no clock. Invariants: what one complaint is given by a role alone is never worth more than the role's
// limit, however many offers it is made of; nobody approves their own offer, nor one above their limit.
package compensation

import (
	"fmt"
	"slices"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// RefusedError says why an offer, or a decision on one, is refused.
type RefusedError struct {
	// Reason is a word for programs.
	Reason string
	Text   string
	// Forbidden says that somebody else may.
	Forbidden bool
}

func (e *RefusedError) Error() string { return e.Text }

// Kinds are what may be offered; all of them for a spec without its schema's default.
func Kinds(spec *yingdav1.CompensationSpec) []yingdav1.CompensationKind {
	if spec == nil {
		return nil
	}
	if len(spec.Kinds) > 0 {
		return spec.Kinds
	}
	return []yingdav1.CompensationKind{yingdav1.CompensationGift, yingdav1.CompensationPoints, yingdav1.CompensationCoupon, yingdav1.CompensationRefund}
}

// Name is a kind as agents read it.
func Name(kind yingdav1.CompensationKind) string {
	switch kind {
	case yingdav1.CompensationGift:
		return "赠品"
	case yingdav1.CompensationPoints:
		return "积分"
	case yingdav1.CompensationCoupon:
		return "优惠券"
	case yingdav1.CompensationRefund:
		return "退款"
	default:
		return string(kind)
	}
}

// Offer says whether a role offers what is worth that much by itself, where that much was offered for the complaint before;
// else it waits for approval.
func Offer(spec *yingdav1.CompensationSpec, role yingdav1.AgentRole, kind yingdav1.CompensationKind, before, worth int64) (alone bool, err error) {
	switch {
	case spec == nil:
		return false, &RefusedError{Reason: "NoCompensation", Text: "nothing may be offered: the ServiceLevel has no complaint.compensation"}
	case !slices.Contains(Kinds(spec), kind):
		return false, &RefusedError{Reason: "KindNotOffered", Text: fmt.Sprintf("offer one of %v", Kinds(spec))}
	case worth <= 0:
		return false, &RefusedError{Reason: "NoWorth", Text: "say what it is worth, in fen"}
	case worth > highest(spec)-before: // So, for a sum may be more than an int64 holds.
		return false, &RefusedError{Reason: "AboveAllLimits", Text: fmt.Sprintf(
			"all offers for a complaint count together: %d fen were offered before, and nobody may approve more than %d fen in all", before, highest(spec))}
	default:
		return worth <= limit(spec, role)-before, nil
	}
}

// Decide refuses a decision on an offer that waits, where it is not theirs to make. before is what else was offered.
func Decide(spec *yingdav1.CompensationSpec, role yingdav1.AgentRole, by, offeredBy string, before, worth int64) error {
	switch {
	case by == offeredBy:
		return &RefusedError{Reason: "OwnOffer", Text: "somebody else decides on what you offered", Forbidden: true}
	case worth > limit(spec, role)-before:
		return &RefusedError{
			Reason: "AboveLimit", Text: fmt.Sprintf("it takes somebody whose limit is at least %d fen; yours is %d", before+worth, limit(spec, role)), Forbidden: true,
		}
	default:
		return nil
	}
}

// Deciders are the roles that may approve what is worth that much in all.
func Deciders(spec *yingdav1.CompensationSpec, worth int64) (roles []yingdav1.AgentRole) {
	if spec == nil {
		return nil
	}
	for _, l := range spec.Limits {
		if worth <= int64(l.UpTo) {
			roles = append(roles, l.Role)
		}
	}
	return roles
}

func limit(spec *yingdav1.CompensationSpec, role yingdav1.AgentRole) int64 {
	if spec == nil {
		return 0
	}
	for _, l := range spec.Limits {
		if l.Role == role {
			return int64(l.UpTo)
		}
	}
	return 0
}

func highest(spec *yingdav1.CompensationSpec) (most int64) {
	for _, l := range spec.Limits {
		most = max(most, int64(l.UpTo))
	}
	return most
}
