// Package officialaccount connects a WeChat official account (公众号).
//
//	WeChat ──push──> Receive: verify, decrypt, decode ──> message.Inbound
//	WeChat <─answer─ Reply: what the bot says at once, encrypted as the push was
//	message.Outbound ──> Send: encode, upload files ──> WeChat's API
//
// It decides nothing: what is said in an answer is the host's to find and to record. A Channel in message mode Secure refuses
// plaintext, as a mini-program does. A push whose type is unknown is kept, never refused.
package officialaccount

import (
	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
)

// Type is the ChannelType OfficialAccount.
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
func (Type) Name() v1alpha1.ChannelType { return v1alpha1.ChannelTypeOfficialAccount }

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
