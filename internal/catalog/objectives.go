package catalog

import (
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
)

// Objectives are what a ServiceLevel wants of the service on those of the brand's Channels that it is for.
type Objectives struct {
	*servicelevel.Objectives
	// ServiceLevel is its name.
	ServiceLevel string
	// Channels by name, sorted.
	Channels []string
}

// Objectives returns what is wanted, by the names of the ServiceLevels; those that are for no Channel of the brand are left out.
func (s *Snapshot) Objectives() []Objectives { return s.objectives }

func (b *builder) addObjectives(s *Snapshot) {
	channels := map[string][]string{}
	for name, channel := range s.channels {
		level := b.levelName(s, channel.Channel)
		channels[level] = append(channels[level], name)
	}
	for name, on := range channels {
		if wanted := b.levels[name].value.wanted; wanted != nil {
			slices.Sort(on)
			s.objectives = append(s.objectives, Objectives{wanted, name, on})
		}
	}
	slices.SortFunc(s.objectives, func(a, b Objectives) int { return strings.Compare(a.ServiceLevel, b.ServiceLevel) })
}
