package desk

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// statesOf are all states that cases of a kind may have.
func statesOf(kind promise.CaseKind) []string {
	switch kind {
	case promise.CaseAfterSales:
		return texts(aftersales.States())
	case promise.CaseComplaint:
		return texts([]promise.ComplaintState{promise.ComplaintOpen, promise.ComplaintEscalated, promise.ComplaintResolved, promise.ComplaintFollowedUp})
	case promise.CaseEmergency:
		return texts([]promise.EmergencyState{promise.EmergencyOpen, promise.EmergencyClosing, promise.EmergencyClosed})
	case promise.CaseReview:
		return texts([]quality.State{quality.Pending, quality.Scored, quality.Appealed, quality.Upheld, quality.Changed})
	case promise.CaseOrder:
		return texts([]aftersales.State{order.StateAsked, order.StateDone, order.StateRefused})
	default:
		return texts([]promise.TaskState{promise.TaskOpen, promise.TaskDone, promise.TaskCancelled, promise.TaskLapsed})
	}
}

// knownState refuses a state in which no case of the kind is ever; of no kind in particular, no case at all.
func knownState(kind promise.CaseKind, state string) error {
	if state == "" {
		return nil
	}
	of := promise.CaseKinds()
	if kind != "" {
		of = []promise.CaseKind{kind}
	}
	var there []string
	for _, kind := range of {
		states := statesOf(kind)
		if slices.Contains(states, state) {
			return nil
		}
		there = append(there, fmt.Sprintf("%s has %s", kind, strings.Join(states, ", ")))
	}
	return refusal(http.StatusUnprocessableEntity, "NoSuchState", "there is no state %s: %s", state, strings.Join(there, "; "))
}

// place is where in a list a page ends: after its last case. A list of open cases is by deadline.
type place struct {
	due *time.Time
	// since is when the case was opened, or ended.
	since time.Time
	id    string
}

func placeOf(c store.Case) place {
	if c.ClosedAt != nil {
		return place{since: *c.ClosedAt, id: c.ID}
	}
	return place{c.Due, c.OpenedAt, c.ID}
}

// token is the place as clients send it back.
func (p place) token() string {
	due := ""
	if p.due != nil {
		due = strconv.FormatInt(p.due.UnixMicro(), 10)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(due + " " + strconv.FormatInt(p.since.UnixMicro(), 10) + " " + p.id))
}

// placeAt is the place of a token; nil for none.
func placeAt(token string) (*place, error) {
	if token == "" {
		return nil, nil //nolint:nilnil // The list begins at its begin.
	}
	content, err := base64.RawURLEncoding.DecodeString(token)
	parts := strings.SplitN(string(content), " ", 3)
	if err != nil || len(parts) != 3 {
		return nil, badAfter()
	}
	at := &place{id: parts[2]}
	since, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, badAfter()
	}
	at.since = time.UnixMicro(since)
	if parts[0] == "" {
		return at, nil
	}
	micros, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, badAfter()
	}
	due := time.UnixMicro(micros)
	at.due = &due
	return at, nil
}

func badAfter() error {
	return refusal(http.StatusUnprocessableEntity, "BadAfter", "after is the next of a page before")
}
