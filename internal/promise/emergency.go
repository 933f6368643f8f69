package promise

import (
	"strconv"
	"time"
)

// EmergencyWorkflow is the type of the workflow that keeps a burst of complaints until they are as usual again.
const EmergencyWorkflow = "Emergency"

// The signals of EmergencyWorkflow; its query is QueryStatus, which it answers with an EmergencyStatus.
const (
	// SignalEmergencyClose carries an EmergencyClose: somebody says that it is over. Only the first counts.
	SignalEmergencyClose = "close"
	// SignalEmergencyExtend carries an EmergencyExtend: it is to last at least until then. Counts while it lasts.
	SignalEmergencyExtend = "extend"
)

// EmergencyID is the id of the workflow, and of the case, of a brand's emergency of that number.
func EmergencyID(namespace, brand string, number int64) string {
	return "emergency/" + namespace + "/" + brand + "/" + strconv.FormatInt(number, 10)
}

// EmergencyInput starts EmergencyWorkflow.
type EmergencyInput struct {
	// ID is EmergencyID.
	ID     string `json:"id"`
	Number int64  `json:"number"`
	// SkillGroup is the group that is concerned, empty for the whole brand; ScopeName is the group's or the brand's display name.
	SkillGroup string `json:"skillGroup,omitempty"`
	ScopeName  string `json:"scopeName"`
	// Since is when the window began in which the complaints came, StartedAt when they were seen.
	Since     time.Time `json:"since"`
	StartedAt time.Time `json:"startedAt"`
	// Complaints came in that window; UsualPerHour are usual.
	Complaints   int     `json:"complaints"`
	UsualPerHour float64 `json:"usualPerHour"`
	// CalmForSeconds is for how long complaints must be fewer than twice the usual before it ends, CheckEverySeconds how often it
	// is looked.
	CalmForSeconds    int64 `json:"calmForSeconds"`
	CheckEverySeconds int64 `json:"checkEverySeconds"`
	// Carried is where a run before this one of the same workflow left off; nil in the first.
	Carried *EmergencyCarried `json:"carried,omitempty"`
}

// EmergencyCarried is what one run of the workflow leaves to the next.
type EmergencyCarried struct {
	// NextCheck is when it is looked next.
	NextCheck time.Time       `json:"nextCheck"`
	Status    EmergencyStatus `json:"status"`
}

// EmergencyClose is the argument of SignalEmergencyClose.
type EmergencyClose struct {
	// By is the Agent who says that it is over.
	By string `json:"by"`
}

// EmergencyExtend is the argument of SignalEmergencyExtend.
type EmergencyExtend struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

// EmergencyState is where an emergency stands.
type EmergencyState string

// The states of an emergency, in their order.
const (
	EmergencyOpen EmergencyState = "open"
	// EmergencyClosing: somebody has said that it is over; its report is being written.
	EmergencyClosing EmergencyState = "closing"
	EmergencyClosed  EmergencyState = "closed"
)

// EmergencyStatus answers QueryStatus, and is the workflow's result.
type EmergencyStatus struct {
	State EmergencyState `json:"state"`
	// HeldUntil is until when it lasts at least, because somebody said so.
	HeldUntil time.Time `json:"heldUntil,omitzero"`
	// Checks is how often it was looked whether complaints are as usual.
	Checks int `json:"checks,omitempty"`
	// IgnoredSignals came when they meant nothing.
	IgnoredSignals int `json:"ignoredSignals,omitempty"`
}

// EmergencyDetail is the detail of an emergency's case.
type EmergencyDetail struct {
	Number     int64  `json:"number"`
	SkillGroup string `json:"skillGroup,omitempty"`
	ScopeName  string `json:"scopeName"`
	// Since, Complaints and UsualPerHour are those of EmergencyInput.
	Since        time.Time `json:"since"`
	Complaints   int       `json:"complaints"`
	UsualPerHour float64   `json:"usualPerHour"`
	// HeldUntil is until when it lasts at least.
	HeldUntil time.Time `json:"heldUntil,omitzero"`
	// ClosedBy is the Agent who said that it is over; empty where complaints were as usual again.
	ClosedBy string `json:"closedBy,omitempty"`
	// Report is there once it is closed.
	Report *EmergencyReport `json:"report,omitempty"`
}

// EmergencyReport says what an emergency was.
type EmergencyReport struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// Complaints came between the two, by Channel and by SkillGroup.
	Complaints int            `json:"complaints"`
	ByChannel  map[string]int `json:"byChannel"`
	ByGroup    map[string]int `json:"byGroup"`
	// PeakPerHour is the rate of the worst 15 minutes, which ended at PeakAt; UsualPerHour what is usual.
	PeakPerHour  float64   `json:"peakPerHour"`
	PeakAt       time.Time `json:"peakAt,omitzero"`
	UsualPerHour float64   `json:"usualPerHour"`
	// FirstResponse is how long those who complained waited for the first words of a human.
	FirstResponse EmergencyFirstResponse `json:"firstResponse"`
}

// EmergencyFirstResponse counts those who came to a human during an emergency because of it.
type EmergencyFirstResponse struct {
	// Asked is how many there were, Answered how many have heard from a human.
	Asked    int `json:"asked"`
	Answered int `json:"answered"`
	// MedianSeconds and SlowSeconds are what half and nine of ten of these waited at most.
	MedianSeconds int `json:"medianSeconds"`
	SlowSeconds   int `json:"slowSeconds"`
}
