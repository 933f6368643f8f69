package promise

import (
	"time"

	"github.com/google/uuid"
)

// The types of the workflows that look back on a brand's conversations. Schedules start them.
const (
	// QualitySampleWorkflow gives a day's conversations to those who judge them.
	QualitySampleWorkflow = "QualitySample"
	// QualityWeekWorkflow counts what a week's conversations were about.
	QualityWeekWorkflow = "QualityWeek"
)

// ReviewID is the id of the case in which a conversation is judged. No workflow has it: nothing waits in one.
func ReviewID(namespace, brand string, conversation uuid.UUID) string {
	return "review/" + namespace + "/" + brand + "/" + conversation.String()
}

// QualityWeekID is the id of the workflow that makes a report which somebody has asked for.
func QualityWeekID(namespace, brand, report string) string {
	return "quality-week/" + namespace + "/" + brand + "/" + report
}

// QualitySampleInput starts QualitySampleWorkflow, which looks at the day before the one that it was scheduled for.
type QualitySampleInput struct {
	Namespace string `json:"namespace"`
	Brand     string `json:"brand"`
	// SamplePercent of each agent's conversations are drawn.
	SamplePercent int32 `json:"samplePercent"`
	// ReviewResponsesOverSeconds is how long a customer waited in those that are judged for it, 0 for all that are marked.
	ReviewResponsesOverSeconds int64 `json:"reviewResponsesOverSeconds,omitempty"`
	DueWithinSeconds           int64 `json:"dueWithinSeconds"`
	// TimeZone is by whose days it goes.
	TimeZone string `json:"timeZone"`
	// Carried is what a run that became long leaves to the next.
	Carried *QualitySampleCarried `json:"carried,omitempty"`
}

// QualitySampleCarried is a day of which a part was given.
type QualitySampleCarried struct {
	// At is for when the first run was scheduled.
	At time.Time `json:"at"`
	// After is where the parts that were given end, Given how many of them each reviewer got, and Chosen how many they are.
	After  []byte         `json:"after,omitempty"`
	Given  map[string]int `json:"given,omitempty"`
	Chosen int            `json:"chosen,omitempty"`
}

// QualitySampleResult is what became of a day.
type QualitySampleResult struct {
	// Day as 2026-11-21.
	Day string `json:"day"`
	// Chosen conversations are judged.
	Chosen int `json:"chosen"`
	// Overdue judgements of days before were told of.
	Overdue int `json:"overdue,omitempty"`
}

// QualityWeekInput starts QualityWeekWorkflow, which looks at the weeks before the one that it was scheduled for.
type QualityWeekInput struct {
	Namespace string `json:"namespace"`
	Brand     string `json:"brand"`
	// TimeZone is by whose weeks it goes.
	TimeZone string `json:"timeZone"`
	// Weeks that are looked at together; 0 is one.
	Weeks int `json:"weeks,omitempty"`
	// LastWeek is the last of them, as 2026-W47; empty for the one before the time that it was scheduled for.
	LastWeek string `json:"lastWeek,omitempty"`
}

// QualityWeekResult is what became of a report.
type QualityWeekResult struct {
	// Report is its name.
	Report string `json:"report"`
	// Conversations that it counts.
	Conversations int `json:"conversations"`
}

// ScheduledAt is the search attribute in which a schedule says for when it started a workflow.
const ScheduledAt = "TemporalScheduledStartTime"
