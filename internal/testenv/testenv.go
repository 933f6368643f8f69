// Package testenv starts the real parts that tests stand on: a broker of the Kafka protocol, a Temporal server and
// PostgreSQL, each a process of bin/stack on 127.0.0.1 with data of its own. It is for tests alone: nothing else imports it.
//
// Kafka, Temporal, Postgres and Database share one server per test process, started by the first test that asks, and living
// as long as the process. StartKafka, StartTemporal and StartPostgres give a test its own, to be killed and restarted.
//
// Invariants: no server and no data outlive the test process, however it ends: each server holds the read end of a pipe whose
// write end only this process has, and cleans up when the kernel closes it. Tests never share a topic, a namespace or a
// database by accident: Unique makes names.
package testenv

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
)

// shared is a server that lives as long as the test process.
type shared struct {
	once   sync.Once
	server *Server
	err    error
}

// The servers of this process. There is no end to hook a release to that a panic or a time-out would also reach, so nobody
// owns them but the process: see the package's invariants.
//
//nolint:gochecknoglobals // See above.
var sharedKafka, sharedTemporal, sharedPostgres shared

func (s *shared) get(t testing.TB, start func(context.Context) (*Server, error)) *Server {
	t.Helper()
	// The server outlives the test that happens to ask first, so its start must not end with that test's context.
	s.once.Do(func() { s.server, s.err = start(context.WithoutCancel(t.Context())) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

// Kafka returns the address of this test process's broker. Topics are not made by using them.
func Kafka(t testing.TB) (broker string) {
	t.Helper()
	return sharedKafka.get(t, StartKafka).Address()
}

// Temporal returns the address of this test process's Temporal server, where the namespace "default" is.
func Temporal(t testing.TB) (address string) {
	t.Helper()
	return sharedTemporal.get(t, StartTemporal).Address()
}

// Postgres returns the superuser's URL of this test process's server. Most tests want Database.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	return sharedPostgres.get(t, StartPostgres).URL()
}

// NewServer gives a test a server of its own, which ends with the test: NewServer(t, testenv.StartKafka).
func NewServer(t testing.TB, start func(context.Context) (*Server, error)) *Server {
	t.Helper()
	server, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Unique makes a name that no other test uses, for topics, groups, namespaces and workflow ids.
func Unique(prefix string) string {
	return prefix + "-" + strings.ToLower(rand.Text()[:10])
}
