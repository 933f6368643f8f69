package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const shipped = "../../config/calendars/china.yaml"

func TestTheShippedCalendarIsThatOfTheAnnouncements(t *testing.T) {
	days, err := read("holiday-cn")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(render(days)), string(got)); diff != "" {
		t.Errorf("%s (go run ./hack/holidays writes it; -want +got):\n%s", shipped, diff)
	}
	var calendar v1alpha1.HolidayCalendar
	if err := yaml.UnmarshalStrict(got, &calendar); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(days, calendar.Spec.Days); diff != "" {
		t.Errorf("days as they are read (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoYearIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no file at all":              "",
		"what is no JSON":             "{",
		"a date that is none":         `{"days":[{"name":"元旦","date":"2027-02-30","isOffDay":true}]}`,
		"a date that is listed twice": `{"days":[{"name":"元旦","date":"2027-01-01","isOffDay":true},{"name":"春节","date":"2027-01-01","isOffDay":false}]}`,
		"a day without a date":        `{"days":[{"name":"元旦","isOffDay":true}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			folder, out := t.TempDir(), filepath.Join(t.TempDir(), "china.yaml")
			if text != "" {
				if err := os.WriteFile(filepath.Join(folder, "2027.json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := run(folder, out); err == nil {
				t.Error("it was taken")
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a calendar was written")
			}
		})
	}
}
