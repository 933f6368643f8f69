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
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// The kinds that are read.
const (
	kindSchedule = "ShiftSchedule"
	kindCalendar = "HolidayCalendar"
)

// Objects are what was read of a brand's files.
type Objects struct {
	schedules []*yingdav1.ShiftSchedule
	calendars []*yingdav1.HolidayCalendar
}

// Read takes the ShiftSchedules and HolidayCalendars from a stream of YAML documents, which may be lists as kubectl writes them.
// Other kinds are left out. Its error has a line for each mistake of a document.
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
			return fmt.Errorf("document %d:\n%w", n, err)
		}
	}
}

func (o *Objects) take(document []byte) error {
	var seen struct {
		metav1.TypeMeta `json:",inline"`

		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
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
	var found any
	switch seen.Kind {
	case kindSchedule:
		one := &yingdav1.ShiftSchedule{}
		o.schedules = append(o.schedules, one)
		found = one
	case kindCalendar:
		one := &yingdav1.HolidayCalendar{}
		o.calendars = append(o.calendars, one)
		found = one
	default:
		return nil
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	strict, err := kjson.UnmarshalStrict(text, found) // unlike that of yaml it says where a field is that does not exist
	return mistakes(seen.Kind+" "+seen.Metadata.Name, append(strict, err)...)
}

// mistakes are those of an object, a line each; nil where there are none. Lists of mistakes are taken apart.
func mistakes(object string, all ...error) error {
	var lines []error
	for _, err := range all {
		var list utilerrors.Aggregate
		switch {
		case err == nil:
		case errors.As(err, &list):
			for _, one := range utilerrors.Flatten(list).Errors() {
				lines = append(lines, fmt.Errorf("%s: %w", object, one))
			}
		default:
			lines = append(lines, fmt.Errorf("%s: %w", object, err))
		}
	}
	return errors.Join(lines...)
}

// Timetable is that of the ShiftSchedule of the name, or of the only one for an empty name, with those of its calendars that were
// read. Its error has a line for each mistake.
func (o *Objects) Timetable(name string) (*Timetable, error) {
	chosen, err := o.Schedule(name)
	if err != nil {
		return nil, err
	}
	t := &Timetable{namespace: chosen.Namespace, name: chosen.Name}
	specs, missing := o.Calendars(chosen.Spec)
	t.missing = missing
	t.schedule, err = compile(chosen, specs)
	return t, err
}

func compile(chosen *yingdav1.ShiftSchedule, referred []yingdav1.HolidayCalendar) (*schedule.Schedule, error) {
	var failed []error
	calendars := make([]*schedule.Calendar, 0, len(referred))
	for i := range referred {
		calendar, err := schedule.CompileCalendar(referred[i].Spec)
		failed = append(failed, mistakes(kindCalendar+" "+referred[i].Name, err))
		calendars = append(calendars, calendar)
	}
	compiled, err := schedule.Compile(chosen.Spec)
	failed = append(failed, mistakes(kindSchedule+" "+chosen.Name, err))
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return compiled.With(calendars...), nil
}

// Calendars are those to which a schedule refers, in its order, and the names of those that were not read.
func (o *Objects) Calendars(spec yingdav1.ShiftScheduleSpec) (referred []yingdav1.HolidayCalendar, missing []string) {
	for _, name := range schedule.CalendarNames(spec) {
		i := slices.IndexFunc(o.calendars, func(c *yingdav1.HolidayCalendar) bool { return c.Name == name })
		if i < 0 {
			missing = append(missing, name)
			continue
		}
		referred = append(referred, *o.calendars[i])
	}
	return referred, missing
}

// Schedule is the ShiftSchedule of the name, or the only one for an empty name.
func (o *Objects) Schedule(name string) (*yingdav1.ShiftSchedule, error) {
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
