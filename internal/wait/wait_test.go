package wait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yingda-dev/yingda/internal/wait"
)

func TestForEndsWithTheTimeOrItsContext(t *testing.T) {
	for name, tc := range map[string]struct {
		pause, patience time.Duration
		want            bool
	}{
		"the time is over first":    {time.Second, time.Minute, true},
		"the context is over first": {time.Minute, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.patience)
				defer cancel()
				begin := time.Now()
				if got := wait.For(ctx, tc.pause); got != tc.want {
					t.Errorf("For is %t, want %t", got, tc.want)
				}
				if took := time.Since(begin); took != time.Second {
					t.Errorf("it took %s, want %s", took, time.Second)
				}
			})
		})
	}
}
