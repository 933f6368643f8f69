package timetable

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// Objects are what was read of a brand's files.
type Objects struct {
	schedules []*yingdav1.ShiftSchedule
	calendars []*yingdav1.HolidayCalendar
}

// Read takes the ShiftSchedules and HolidayCalendars from a stream of YAML documents, which may be lists as kubectl writes them.
// Other kinds are left out.
func (o *Objects) Read(r io.Reader) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(r))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading document %d: %w", n, err)
		}
		if err := o.take(document); err != nil {
			return fmt.Errorf("document %d: %w", n, err)
		}
	}
}

func (o *Objects) take(document []byte) error {
	var seen struct {
		metav1.TypeMeta `json:",inline"`

		Items []json.RawMessage `json:"items"`
	}
	if err := yaml.Unmarshal(document, &seen); err != nil {
		return err
	}
	for _, item := range seen.Items {
		if err := o.take(item); err != nil {
			return err
		}
	}
	if seen.GroupVersionKind().GroupVersion() != yingdav1.GroupVersion() {
		return nil
	}
	switch seen.Kind {
	case "ShiftSchedule":
		found := &yingdav1.ShiftSchedule{}
		o.schedules = append(o.schedules, found)
		return yaml.UnmarshalStrict(document, found)
	case "HolidayCalendar":
		found := &yingdav1.HolidayCalendar{}
		o.calendars = append(o.calendars, found)
		return yaml.UnmarshalStrict(document, found)
	}
	return nil
}

// Timetable is that of the ShiftSchedule of the name, or of the only one for an empty name, with those of its calendars that were
// read.
func (o *Objects) Timetable(name string) (*Timetable, error) {
	chosen, err := o.choose(name)
	if err != nil {
		return nil, err
	}
	t := &Timetable{namespace: chosen.Namespace, name: chosen.Name}
	var calendars []*schedule.Calendar
	for _, name := range schedule.CalendarNames(chosen.Spec) {
		i := slices.IndexFunc(o.calendars, func(c *yingdav1.HolidayCalendar) bool { return c.Name == name })
		if i < 0 {
			t.missing = append(t.missing, name)
			continue
		}
		calendar, err := schedule.CompileCalendar(o.calendars[i].Spec)
		if err != nil {
			return nil, fmt.Errorf("HolidayCalendar %s: %w", name, err)
		}
		calendars = append(calendars, calendar)
	}
	if t.schedule, err = schedule.Compile(chosen.Spec, calendars...); err != nil {
		return nil, fmt.Errorf("ShiftSchedule %s: %w", chosen.Name, err)
	}
	return t, nil
}

func (o *Objects) choose(name string) (*yingdav1.ShiftSchedule, error) {
	var names []string
	for _, s := range o.schedules {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("there is no ShiftSchedule in what was read")
	case name != "":
		return nil, fmt.Errorf("there is no ShiftSchedule %s in what was read; there are %s", name, strings.Join(names, ", "))
	case len(names) > 1:
		return nil, fmt.Errorf("there are several ShiftSchedules in what was read: choose one of %s", strings.Join(names, ", "))
	}
	return o.schedules[0], nil
}
