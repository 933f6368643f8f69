// Package retry spaces the passes over an object that fail.
package retry

import (
	"time"

	"k8s.io/client-go/util/workqueue"
)

const (
	shortest = 5 * time.Millisecond
	// longest keeps within what people wait for: the workqueue's own limit is a quarter of an hour, which twenty quick failures
	// reach, for example while a namespace ends.
	longest = 20 * time.Second
)

// Limiter doubles the pause after each failure, from 5 ms up to 20 s.
func Limiter[R comparable]() workqueue.TypedRateLimiter[R] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[R](shortest, longest)
}
