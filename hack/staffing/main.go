// Command staffing makes the sample of docs/staffing.md: five weeks of history of a group that does not exist, and the picture
// of how long its customers wait over a day, before and after its schedule covers them.
//
//	go -C hack/staffing run .
//
// Every run makes the same files. It is a module of its own for the sake of the library that draws.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

func main() {
	docs := flag.String("docs", "../../docs/staffing", "folder with schedule.yaml, to which the sample is written")
	calendar := flag.String("calendar", "../../config/calendars/china.yaml", "file with the HolidayCalendar")
	flag.Parse()
	if err := run(*docs, *calendar); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(docs, calendar string) error {
	// The image of a container has no time zones, and China's clocks have stood still since 1991.
	zone := time.FixedZone("Asia/Shanghai", 8*60*60)
	history := invent(zone)
	var lines bytes.Buffer
	writeHistory(&lines, history)
	if err := os.WriteFile(filepath.Join(docs, "history.csv"), lines.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	before, after, err := floors(filepath.Join(docs, "schedule.yaml"), calendar, history)
	if err != nil {
		return fmt.Errorf("planning the week: %w", err)
	}
	scheduled, wanted := play(before), play(after)
	for _, played := range []struct {
		name string
		day
	}{{"as scheduled", scheduled}, {"as wanted", wanted}} {
		fmt.Printf("%s, %.1f %% of a Wednesday's customers are answered within %s, and %.1f %% in its worst quarter of an hour\n",
			played.name, 100*played.inTime, staffing.Short(promise), 100*played.worst)
	}
	picture, err := draw(scheduled, wanted)
	if err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "waiting.svg"), picture, 0o644); err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	return nil
}
