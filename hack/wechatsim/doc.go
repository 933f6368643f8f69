// Package wechatsim plays the WeChat platform's side of a mini-program's and of an official account's customer
// service, so that Yingda can be run and tested without Tencent: customers who write, follow and tap the menu, pushes
// to a callback URL with signature and AES in every mode and format, the 5 s limit and the three retries, passive
// replies, access tokens, the customer-message API with its 48 h ledger and its error codes, templates, media, menus,
// users, and a control API (/sim/v1) that scripts all of it. A small page at / shows the chat as the customer's phone
// does.
//
// It must not share code with the connector it tests: both are written from the same description of the
// protocol, and only the published test vectors are common to them. It must never let anything leave the machine:
// callbacks go to loopback and private addresses only, redirects and proxies are not followed.
//
// Invariants:
//   - Pushes of one customer leave in the order in which the customer wrote, the next one after the last
//     attempt of the one before (unless the app asks for parallel pushes).
//   - Whatever counts for the platform (windows, tokens, media) is measured on the simulator's clock, which
//     the control API can move forward; what a push carries is always the real time, as the receiver checks it.
//   - Memory is bounded: rings of messages a customer, limits on customers, media, queues and loads.
//   - Every goroutine belongs to the Server, and Close waits for it.
package wechatsim
