package catalog

import (
	"cmp"

	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
)

// Quality says which of the brand's conversations are judged afterwards, and by which days and weeks it goes.
type Quality struct {
	servicelevel.Quality
	// TimeZone is that of the Brand's default ShiftSchedule.
	TimeZone string
}

// Quality returns which conversations are judged; false for none.
func (s *Snapshot) Quality() (Quality, bool) {
	if s.quality == nil {
		return Quality{}, false
	}
	return *s.quality, true
}

// PlaybookOf is the name of the Playbook that a Channel's customers meet; empty for none, and for a Channel that is gone.
func (s *Snapshot) PlaybookOf(channel string) string {
	if c, known := s.channels[channel]; known {
		return c.PlaybookName
	}
	return ""
}

// Answers names the rule or the FAQ entry of a Playbook that answers a question or hands it off; empty for none, also for a
// Playbook that no Channel has. An entry comes with what it asks.
func (s *Snapshot) Answers(playbook, question string) (name, asks string) {
	for _, c := range s.channels {
		if c.PlaybookName != playbook {
			continue
		}
		switch decided := c.Playbook.Decide(question).(type) {
		case bot.Answer:
			return cmp.Or(decided.FAQ, decided.Rule), c.Playbook.Question(decided)
		case bot.HandOff:
			return cmp.Or(decided.Rule, "handOff"), ""
		default:
			return "", ""
		}
	}
	return "", ""
}

// addQuality reads it from the ServiceLevel that the Brand's defaults name: its supervisors judge for all Channels. A Brand that
// is being deleted looks back no more.
func (b *builder) addQuality(s *Snapshot) {
	if s.Brand == nil || s.Brand.DeletionTimestamp != nil || s.Brand.Spec.Defaults.ServiceLevelRef == nil {
		return
	}
	level, known := b.levels[s.Brand.Spec.Defaults.ServiceLevelRef.Name]
	if !known || level.value.quality == nil {
		return
	}
	s.quality = &Quality{Quality: *level.value.quality, TimeZone: schedule.DefaultTimeZone}
	if ref := s.Brand.Spec.Defaults.ScheduleRef; ref != nil {
		if found, known := b.schedules[ref.Name]; known {
			s.quality.TimeZone = found.value.schedule.Location().String()
		}
	}
}
