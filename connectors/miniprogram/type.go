// Package miniprogram connects a WeChat mini-program's customer service.
//
//	WeChat ──push──> Receive: verify, decrypt, decode ──> message.Inbound
//	message.Outbound ──> Send: encode, upload pictures ──> WeChat's API
//
// A Channel in message mode Secure refuses plaintext, for whoever knows an old signature could otherwise write in a
// customer's name: the plain signature does not cover the body. A push whose type is unknown is kept, never refused.
package miniprogram

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
)

// Type is the ChannelType MiniProgram.
type Type struct{}

var (
	_ connectors.Type       = Type{}
	_ connectors.Connector  = (*connector)(nil)
	_ connectors.Webhook    = (*connector)(nil)
	_ connectors.FileSource = (*connector)(nil)
)

// connector serves one Channel.
type connector struct{ *wechat.Connector }

// Name is the spec.type.
func (Type) Name() v1alpha1.ChannelType { return v1alpha1.ChannelTypeMiniProgram }

// Needs names the Secret and what a connector is made of.
func (Type) Needs(channel *v1alpha1.Channel) (connectors.Needs, error) {
	return wechat.NeedsOf(channel)
}

// Open makes the connector of a Channel from its Secret.
func (Type) Open(config connectors.Config) (connectors.Connector, error) {
	account, err := wechat.Open(config)
	if err != nil {
		return nil, err
	}
	return &connector{account}, nil
}
