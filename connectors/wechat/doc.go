// Package wechat is what the channels of WeChat share: the signature and the encryption of what the platform pushes, the
// parsing of its bodies, the client of its API, and the meaning of its error codes.
//
// It knows neither Channels nor messages of the product. It must not log, and its errors hold no body, no customer id, no
// token and no secret. A call that may have reached the platform is never repeated here, but for one repeat with a new
// access token after the platform said that it refused the old one.
package wechat
