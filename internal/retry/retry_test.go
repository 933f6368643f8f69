package retry_test

import (
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/retry"
)

func TestManyFailuresAreFollowedByAnotherTryWithinSeconds(t *testing.T) {
	limiter := retry.Limiter[string]()
	if first := limiter.When("qiming"); first > 100*time.Millisecond {
		t.Errorf("the first try comes after %s", first)
	}
	for range 40 {
		limiter.When("qiming")
	}
	if late := limiter.When("qiming"); late > 30*time.Second {
		t.Errorf("after many failures another try comes after %s", late)
	}
}
