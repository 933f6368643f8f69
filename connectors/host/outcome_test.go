package host

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/yingda-dev/yingda/connectors"
)

func TestOutcomeOfCallsIsLoggedWhenItChanges(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "shop", errors.New("not granted"))
	away := errors.New("connection refused")
	cases := map[string]struct {
		ends []error // One each 6 s.
		want []string
	}{
		"a Role that follows is no error":              {[]error{forbidden, forbidden, nil, nil}, []string{"INFO The Role does not grant the resource yet"}},
		"a Role that does not follow is, once":         {[]error{forbidden, forbidden, forbidden, forbidden}, []string{"INFO The Role does not grant the resource yet", "ERROR The Role does not grant the resource"}},
		"a Role that follows late is told of":          {[]error{forbidden, forbidden, forbidden, nil}, []string{"INFO The Role does not grant the resource yet", "ERROR The Role does not grant the resource", "INFO The Role grants the resource now"}},
		"a Role that is taken back is waited for anew": {[]error{forbidden, nil, forbidden, forbidden}, []string{"INFO The Role does not grant the resource yet", "INFO The Role does not grant the resource yet"}},
		"a server that is away is told of once":        {[]error{away, away, away, nil, nil}, []string{"WARN A task fails and is tried on", "INFO A task works again"}},
		"what works needs no words":                    {[]error{nil, nil}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs strings.Builder
			now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			known := &table{services: connectors.Services{Clock: func() time.Time { return now }}}
			note := newWatcher(nil, "lumi", known, slog.New(slog.NewTextHandler(&logs, shortLines()))).outcomes("secrets", "shop")
			for _, err := range c.ends {
				note(t.Context(), err)
				now = now.Add(6 * time.Second)
			}
			if diff := cmp.Diff(c.want, linesOf(logs.String())); diff != "" {
				t.Errorf("logged (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutcomeOfACallThatWasCalledOffIsNone(t *testing.T) {
	t.Parallel()
	var logs strings.Builder
	note := newWatcher(nil, "lumi", &table{services: connectors.Services{Clock: time.Now}}, slog.New(slog.NewTextHandler(&logs, nil))).outcomes("secrets", "shop")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	note(ctx, ctx.Err())
	if logs.Len() != 0 {
		t.Errorf("logged %s", logs.String())
	}
}

// shortLines keep level and message alone.
func shortLines() *slog.HandlerOptions {
	return &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key != slog.LevelKey && a.Key != slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}}
}

func linesOf(logs string) (lines []string) {
	for line := range strings.Lines(logs) {
		lines = append(lines, strings.NewReplacer("level=", "", `msg="`, "", "\"\n", "").Replace(line))
	}
	return lines
}
