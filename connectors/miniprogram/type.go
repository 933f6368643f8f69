// Package miniprogram connects a WeChat mini-program's customer service.
//
//	WeChat ──push──> Receive: verify, decrypt, decode ──> message.Inbound
//	message.Outbound ──> Send: encode, upload pictures ──> WeChat's API
//
// A Channel in message mode Secure refuses plaintext, for whoever knows an old signature could otherwise write in a
// customer's name: the plain signature does not cover the body. A push whose type is unknown is kept, never refused.
package miniprogram

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
)

// The keys of the Secret.
const (
	keyAppSecret   = "appSecret"
	keyToken       = "token"
	keyAES         = "encodingAESKey"
	keyPreviousAES = "previousEncodingAESKey"
)

// Type is the ChannelType MiniProgram.
type Type struct{}

var (
	_ connectors.Type          = Type{}
	_ connectors.Connector     = (*connector)(nil)
	_ connectors.Webhook       = (*connector)(nil)
	_ connectors.FileSource    = (*connector)(nil)
	_ connectors.ProfileSource = (*connector)(nil)
)

// Name is the spec.type.
func (Type) Name() v1alpha1.ChannelType { return v1alpha1.ChannelTypeMiniProgram }

// Needs names the Secret and what a connector is made of.
func (Type) Needs(channel *v1alpha1.Channel) (connectors.Needs, error) {
	spec := channel.Spec.MiniProgram
	if spec == nil {
		return connectors.Needs{}, errors.New("set spec.miniProgram")
	}
	address := baseURL(spec)
	return connectors.Needs{
		SecretName:  spec.CredentialsSecretRef.Name,
		Fingerprint: strings.Join([]string{spec.AppID, spec.CredentialsSecretRef.Name, string(spec.MessageMode), address}, "\x00"),
		APIBaseURL:  address,
	}, nil
}

func baseURL(spec *v1alpha1.MiniProgramSpec) string {
	if spec.APIBaseURL == "" {
		return v1alpha1.DefaultWeChatAPIBaseURL
	}
	return spec.APIBaseURL
}

// connector serves one Channel.
type connector struct {
	channel  string
	appID    string
	mode     v1alpha1.MessageMode
	token    string
	keys     wechat.Keys
	client   *wechat.Client
	services connectors.Services
}

// Open makes the connector of a Channel from its Secret.
func (Type) Open(config connectors.Config) (connectors.Connector, error) {
	spec := config.Channel.Spec.MiniProgram
	if spec == nil {
		return nil, errors.New("set spec.miniProgram")
	}
	appSecret, token := value(config.Secret, keyAppSecret), value(config.Secret, keyToken)
	for key, content := range map[string]string{keyAppSecret: appSecret, keyToken: token} {
		if content == "" {
			return nil, fmt.Errorf("the Secret lacks the key %s", key)
		}
	}
	keys, err := aesKeys(config.Secret)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 && spec.MessageMode != v1alpha1.MessageModePlaintext {
		return nil, fmt.Errorf("the Secret lacks the key %s, which message mode %s needs", keyAES, spec.MessageMode)
	}
	return &connector{
		channel:  config.Channel.Name,
		appID:    spec.AppID,
		mode:     spec.MessageMode,
		token:    token,
		keys:     keys,
		services: config.Services,
		client:   wechat.NewClient(wechat.Account{BaseURL: baseURL(spec), AppID: spec.AppID, AppSecret: appSecret}, config.Services),
	}, nil
}

// value reads a key of a Secret without the line break that editors and `echo` leave behind.
func value(secret map[string][]byte, key string) string {
	return strings.TrimSpace(string(secret[key]))
}

func aesKeys(secret map[string][]byte) (wechat.Keys, error) {
	var keys wechat.Keys
	var seen []string
	for _, name := range []string{keyAES, keyPreviousAES} {
		encoded := value(secret, name)
		if encoded == "" || slices.Contains(seen, encoded) {
			continue
		}
		seen = append(seen, encoded)
		key, err := wechat.ParseKey(encoded)
		if err != nil {
			return nil, fmt.Errorf("the Secret's key %s: %w", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
