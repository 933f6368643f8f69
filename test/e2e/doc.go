// Package e2e plays the product's story on the real cluster that make up brings up: real pods, a real browser's WebSocket,
// customers who write through the simulator of WeChat's platform.
//
// TestStory is a customer's day (make e2e); TestFaults kills and cuts off what it runs on and counts every message,
// TestFaultsOfCases does so to cases and counts what became of each (make e2e-faults); TestUpgrade has an older version upgraded in a
// checkout of its own (make e2e-upgrade). They need the build tag e2e and read .run/env of the checkout. What has no tag here is arithmetic, and tested with everything else.
//
// Invariants: every run makes customers of its own, so that it can be repeated on a stack that holds data; what a test
// changes it puts back; nothing sleeps, everything is waited for with a deadline. It must not reach into the product: it
// sees what users see (Kubernetes objects, the desk's API, the customer's phone), and the database only where every
// message or case is counted, and where days would have to pass.
package e2e
