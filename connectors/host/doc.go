// Package host runs the connectors of one pool: all Channels of one type and Brand, in any number of replicas.
//
//	platform ──webhook──> Webhook ──> ingest ──> Kafka (inbound)          "success" only now
//	                                    └──────> spool (Postgres) ──> drain ──> Kafka
//
//	Kafka (outbound) ──> delivery rows ──> dispatcher ──> Connector.Send ──> platform
//	                        ^    per contact in order,       │
//	                        └─── sending committed before ───┴──> reporter ──> Kafka (inbound)
//
//	API server ──> watcher ──> table of served Channels <── credentials' checks
//
// Invariants:
//   - A platform hears "success" only when the message is in Kafka with acks=all or committed to the spool.
//   - A message that may have been sent is never sent again: not after a time-out, not by another replica, not after a crash.
//   - Messages of one contact leave in the order of their rows; other contacts do not wait for them.
//   - A Channel whose credentials are refused stops alone. One that cannot be loaded anew goes on as it was.
//   - With the API server away, everything goes on as last known; with Kafka or Postgres away, what needs only the other does.
//
// It must not know any protocol, and must not log or count by customer.
package host
