package quality

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/privacy"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// mostTalks are counted in one report: enough for its shares, few enough for the memory of a worker.
const mostTalks = 20_000

// Playbooks knows what the bot answers.
type Playbooks interface {
	// PlaybookOf is the name of the Playbook that a Channel's customers meet; empty for none.
	PlaybookOf(channel string) string
	// Answers names what in a Playbook answers a question, with what it asks where that is an entry of the FAQ; empty for nothing.
	Answers(playbook, question string) (name, asks string)
}

// Weeks is the argument of Report. Histories hold it: fields are added, never renamed.
type Weeks struct {
	// At is a time in the week after.
	At       time.Time `json:"at"`
	TimeZone string    `json:"timeZone"`
	Weeks    int       `json:"weeks,omitempty"`
	// LastWeek counts instead of At where it is set.
	LastWeek string `json:"lastWeek,omitempty"`
}

// Report counts what conversations were about and keeps it. What customers wrote leaves the database masked, and this activity not
// at all but for what many of them have written.
func (a *Activities) Report(ctx context.Context, w Weeks) (promise.QualityWeekResult, error) {
	location, err := located(w.TimeZone)
	if err != nil {
		return promise.QualityWeekResult{}, err
	}
	span := quality.WeekBefore(w.At, location)
	if w.LastWeek != "" {
		if span, err = quality.Week(w.LastWeek, location); err != nil {
			return promise.QualityWeekResult{}, temporal.NewNonRetryableApplicationError("there is no such week", errorSettings, err)
		}
	}
	span = span.Last(w.Weeks, location)
	rows, err := a.Store.Queries().QualityTalks(ctx, span.Since, span.Until, mostTalks+1)
	if err != nil {
		return promise.QualityWeekResult{}, fmt.Errorf("reading what conversations were about: %w", err)
	}
	cut := len(rows) > mostTalks
	talks := make([]quality.Talk, min(len(rows), mostTalks))
	for i := range talks {
		talks[i] = talkOf(&rows[i], a.Playbooks.PlaybookOf(rows[i].Channel))
	}
	report := quality.NewReport(span.Name, talks, cut, a.Playbooks.Answers)
	encoded, err := json.Marshal(report)
	if err != nil {
		return promise.QualityWeekResult{}, fmt.Errorf("encoding a report: %w", err)
	}
	err = a.Store.Queries().QualityReportPut(ctx, span.Name, encoded, a.Now())
	if err != nil {
		return promise.QualityWeekResult{}, fmt.Errorf("keeping a report: %w", err)
	}
	return promise.QualityWeekResult{Report: span.Name, Conversations: report.Conversations}, nil
}

// talkOf is a conversation without what says who somebody is.
func talkOf(row *db.QualityTalksRow, playbook string) quality.Talk {
	t := quality.Talk{
		Playbook: playbook, Type: row.Topic, Customer: row.CustomerID, Solved: !row.Back && !row.Poor, Rated: row.Rating > 0, Poor: row.Poor,
		Good: row.Rating >= contentFrom(yingdav1.SurveyScale(row.Scale)),
	}
	for _, text := range row.Asked {
		t.Asked = append(t.Asked, privacy.Mask(text))
	}
	for _, text := range row.Said {
		t.Said = append(t.Said, privacy.Mask(text))
	}
	return t
}

// contentFrom is the rating from which a customer was content.
func contentFrom(scale yingdav1.SurveyScale) int32 {
	if scale == yingdav1.SurveyThreeLevels {
		return 3
	}
	return 4
}
