// Package wechat is what the Channels of WeChat share: the signature and the encryption of what the platform pushes, the
// parsing of its bodies, what is alike in the messages of all of them, the client of its API, and the meaning of its error
// codes.
//
// It knows no channel of its own: what is particular to one is in that channel's package. It must not log a body, a customer
// id, a token or a secret, and its errors hold none. A call that may have reached the platform is never repeated here, but
// for one repeat with a new access token after the platform said that it refused the old one, and one with a new upload after
// it said that it knows the old one no more.
package wechat
