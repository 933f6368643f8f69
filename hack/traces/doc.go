// Package traces is a small trace collector for development: it takes spans by OTLP over gRPC, as the product exports them,
// keeps the newest ones in memory and shows each trace as a waterfall and as JSON, so that people, tests and the benchmark
// can see where the time of a message goes.
//
// It must not be used in production: it keeps nothing across a restart, samples nothing and asks nobody who they are. It
// must not listen anywhere but where it is told.
//
// Invariants:
//   - Memory is bounded: traces, spans in all, spans a trace, attributes a span and the length of every text have a limit.
//     The trace that began to arrive first is dropped first.
//   - Spans of a trace may arrive in any order, twice, and from several processes; each is kept once.
//   - Requests are bounded in size; what cannot be a span (no ids) is counted as rejected in the answer.
package traces
