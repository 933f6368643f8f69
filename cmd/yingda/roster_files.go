package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func readHistoryFile(file, group, timeZone string) ([]roster.Interval, error) {
	zone, err := time.LoadLocation(cmp.Or(timeZone, schedule.DefaultTimeZone))
	if err != nil {
		return nil, fmt.Errorf("reading the schedule's time zone: %w", err)
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	defer opened.Close() //nolint:errcheck // It was only read.
	history, err := readHistory(opened, group, zone)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return history, nil
}

// readHistory reads the lines of a group. Without a column for it, all lines are the group's.
func readHistory(from io.Reader, group string, zone *time.Location) ([]roster.Interval, error) {
	lines := csv.NewReader(from)
	header, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	columns := historyColumns{
		group: slices.Index(header, "skill_group"), start: slices.Index(header, "start"),
		contacts: slices.Index(header, "contacts"), handling: slices.Index(header, "handling_seconds"),
	}
	if columns.start < 0 || columns.contacts < 0 || columns.handling < 0 {
		return nil, errors.New("line 1: name the columns start, contacts and handling_seconds")
	}
	var history []roster.Interval
	others := map[string]bool{}
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			if len(history) == 0 && len(others) > 0 {
				return nil, fmt.Errorf("the history has no contacts of group %q; there are %s", group, strings.Join(slices.Sorted(maps.Keys(others)), ", "))
			}
			return history, nil
		}
		if err != nil {
			return nil, err
		}
		if columns.group >= 0 && line[columns.group] != group {
			others[line[columns.group]] = true
			continue
		}
		interval, err := columns.interval(line, zone)
		if err != nil {
			number, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		history = append(history, interval)
	}
}

// historyColumns are where a line has what; group is negative without one.
type historyColumns struct{ group, start, contacts, handling int }

func (c historyColumns) interval(line []string, zone *time.Location) (roster.Interval, error) {
	start, err := startTime(line[c.start], zone)
	if err != nil {
		return roster.Interval{}, err
	}
	contacts, err := amount(line[c.contacts])
	if err != nil {
		return roster.Interval{}, fmt.Errorf("contacts: %w", err)
	}
	seconds, err := amount(line[c.handling])
	if err != nil {
		return roster.Interval{}, fmt.Errorf("handling_seconds: %w", err)
	}
	return roster.Interval{Start: start, Contacts: contacts, Handling: time.Duration(seconds * float64(time.Second))}, nil
}

// startTime reads what Postgres, programs and people write; what has no offset is by the schedule's clock.
func startTime(text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05Z07", "2006-01-02 15:04:05Z07:00", time.RFC3339, "2006-01-02 15:04"} {
		if start, err := time.ParseInLocation(layout, text, zone); err == nil {
			return start, nil
		}
	}
	return time.Time{}, fmt.Errorf("write start as 2026-10-01 09:00:00+08 or 2026-10-01 09:00, not %q", text)
}

// amount reads a number; none is 0, which is what databases write of what they do not know.
func amount(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= math.MaxInt32) {
		return 0, fmt.Errorf("write a number from 0 on, not %q", text)
	}
	return n, nil
}

// writeSchedule writes what is applied of a schedule, with another spec.
func writeSchedule(out io.Writer, old *v1alpha1.ShiftSchedule, spec v1alpha1.ShiftScheduleSpec) error {
	text, err := yaml.Marshal(struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        objectMeta                 `json:"metadata"`
		Spec            v1alpha1.ShiftScheduleSpec `json:"spec"`
	}{
		TypeMeta: old.TypeMeta,
		Metadata: objectMeta{Name: old.Name, Namespace: old.Namespace, Labels: old.Labels, Annotations: old.Annotations},
		Spec:     spec,
	})
	if err != nil {
		return fmt.Errorf("writing the schedule: %w", err)
	}
	_, err = out.Write(text)
	return err
}

// objectMeta is what people write of an object's metadata.
type objectMeta struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}
