package emergency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/burst"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// errHeld says that somebody wants an emergency to last on.
var errHeld = errors.New("the emergency is held")

func isHeld(err error) bool { return errors.Is(err, errHeld) }

// report says what an emergency was, from the first complaint of the burst on.
func report(ctx context.Context, u *store.Unit, detail promise.EmergencyDetail, until time.Time) (*promise.EmergencyReport, error) {
	rows, err := u.ComplaintsBetween(ctx, detail.Since, until, detail.SkillGroup)
	if err != nil {
		return nil, fmt.Errorf("reading the complaints of an emergency: %w", err)
	}
	answered, err := u.ComplaintsAnswered(ctx, detail.Since, until, detail.SkillGroup)
	if err != nil {
		return nil, fmt.Errorf("reading how long customers waited: %w", err)
	}
	r := &promise.EmergencyReport{
		From: detail.Since, Until: until, ByChannel: map[string]int{}, ByGroup: map[string]int{}, UsualPerHour: detail.UsualPerHour,
		FirstResponse: promise.EmergencyFirstResponse{
			Asked: int(answered.Asked), Answered: int(answered.Answered),
			MedianSeconds: int(answered.MedianSeconds), SlowSeconds: int(answered.SlowSeconds),
		},
	}
	for _, row := range rows {
		r.Complaints += int(row.Complaints)
		r.ByChannel[row.Channel] += int(row.Complaints)
		r.ByGroup[row.SkillGroup] += int(row.Complaints)
	}
	most, at := peak(rows)
	r.PeakPerHour, r.PeakAt = float64(most)*float64(time.Hour/burst.Quarter), at
	return r, nil
}

// peak is the most complaints in a quarter of an hour, of those that end with a minute, and when the first such one ended. The rows
// are in the order of their minutes.
func peak(rows []db.ComplaintsBetweenRow) (most int, at time.Time) {
	sum, first := 0, 0
	for i, row := range rows {
		sum += int(row.Complaints)
		for !rows[first].Minute.After(row.Minute.Add(-burst.Quarter)) {
			sum -= int(rows[first].Complaints)
			first++
		}
		if last := i+1 == len(rows) || rows[i+1].Minute.After(row.Minute); last && sum > most {
			most, at = sum, row.Minute.Add(time.Minute).UTC()
		}
	}
	return most, at
}
