package shiftschedule

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// TestTheDocsShowTheGaps reads the schedule of docs/schedules.md and prints its gaps on 7 October 2026 by the command that is
// shown there.
func TestTheDocsShowTheGaps(t *testing.T) {
	root := filepath.Join("..", "..")
	read := func(path ...string) string {
		text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	docs := read("docs", "schedules.md")
	_, after, _ := strings.Cut(docs, "```yaml\n")
	text, _, _ := strings.Cut(after, "```")
	var object v1alpha1.ShiftSchedule
	var china v1alpha1.HolidayCalendar
	if err := errors.Join(
		yaml.UnmarshalStrict([]byte(text), &object),
		yaml.UnmarshalStrict([]byte(read("config", "calendars", "china.yaml")), &china),
	); err != nil {
		t.Fatal(err)
	}
	calendar, err := schedule.CompileCalendar(china.Spec)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := schedule.Compile(object.Spec, calendar)
	if err != nil {
		t.Fatal(err)
	}
	object.Status.Gaps = gapsAhead(compiled, time.Date(2026, 10, 7, 4, 0, 0, 0, time.UTC))
	live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&object)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ = strings.Cut(docs, "$ kubectl get ss online -n lumi -o jsonpath='")
	template, after, _ := strings.Cut(after, "'\n")
	shown, _, _ := strings.Cut(after, "```")
	var printed strings.Builder
	path := jsonpath.New("gaps")
	if err := errors.Join(path.Parse(template), path.Execute(&printed, live)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shown, printed.String()); diff != "" {
		t.Errorf("docs/schedules.md (-docs +printed):\n%s", diff)
	}
}
