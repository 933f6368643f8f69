package reach

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/wait"
)

func TestAServiceIsOutOfReachOnceItIsAwayForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kafkaAway, postgresAway atomic.Bool
		unless := func(away *atomic.Bool) Probe {
			return func(context.Context) error {
				if away.Load() {
					return errors.New("nobody answers")
				}
				return nil
			}
		}
		postgresAway.Store(true)
		w := New(time.Now, map[configz.Dependency]Probe{
			configz.Kafka: unless(&kafkaAway), configz.Postgres: unless(&postgresAway),
			configz.Temporal: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.Run(ctx) })
		want := func(sentence string, any bool, reached map[configz.Dependency]bool) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(reached, w.Reached()); diff != "" || w.Any() != any {
				t.Errorf("%s: any %v (-want +got):\n%s", sentence, w.Any(), diff)
			}
		}
		want("one that answers is reached, of others nothing is known yet", true, map[configz.Dependency]bool{configz.Kafka: true})
		wait.For(t.Context(), lasts+time.Second)
		want("those that never answered are out of reach", true,
			map[configz.Dependency]bool{configz.Kafka: true, configz.Postgres: false, configz.Temporal: false})
		kafkaAway.Store(true)
		wait.For(t.Context(), lasts-interval)
		want("a short while away is no outage", true,
			map[configz.Dependency]bool{configz.Kafka: true, configz.Postgres: false, configz.Temporal: false})
		wait.For(t.Context(), 2*interval)
		want("a longer one is", false,
			map[configz.Dependency]bool{configz.Kafka: false, configz.Postgres: false, configz.Temporal: false})
		kafkaAway.Store(false)
		postgresAway.Store(false)
		wait.For(t.Context(), interval)
		want("who answers again is reached at once", true,
			map[configz.Dependency]bool{configz.Kafka: true, configz.Postgres: true, configz.Temporal: false})
		cancel()
		running.Wait()
	})
}
