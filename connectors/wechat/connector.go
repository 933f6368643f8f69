package wechat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
)

// The keys of the Secret.
const (
	keyAppSecret   = "appSecret"
	keyToken       = "token"
	keyAES         = "encodingAESKey"
	keyPreviousAES = "previousEncodingAESKey"
)

// Connector is what the connectors of all Channels of WeChat have in common. It is safe for concurrent use.
type Connector struct {
	// Channel is the Channel's name.
	Channel  string
	Services connectors.Services
	*Client

	appID string
	mode  v1alpha1.MessageMode
	token string
	keys  Keys
}

var errNoAccount = errors.New("set spec.miniProgram or spec.officialAccount, as spec.type says")

// NeedsOf names the Secret and what a connector of a Channel's account is made of.
func NeedsOf(channel *v1alpha1.Channel) (connectors.Needs, error) {
	account := channel.Spec.WeChat()
	if account == nil {
		return connectors.Needs{}, errNoAccount
	}
	address := baseURL(account)
	return connectors.Needs{
		SecretName:  account.CredentialsSecretRef.Name,
		Fingerprint: strings.Join([]string{account.AppID, account.CredentialsSecretRef.Name, string(account.MessageMode), address}, "\x00"),
		APIBaseURL:  address,
	}, nil
}

func baseURL(account *v1alpha1.WeChatAccount) string {
	if account.APIBaseURL == "" {
		return v1alpha1.DefaultWeChatAPIBaseURL
	}
	return account.APIBaseURL
}

// Open makes the Connector of a Channel from its Secret.
func Open(config connectors.Config) (*Connector, error) {
	account := config.Channel.Spec.WeChat()
	if account == nil {
		return nil, errNoAccount
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
	if len(keys) == 0 && account.MessageMode != v1alpha1.MessageModePlaintext {
		return nil, fmt.Errorf("the Secret lacks the key %s, which message mode %s needs", keyAES, account.MessageMode)
	}
	return &Connector{
		Channel:  config.Channel.Name,
		Services: config.Services,
		Client:   NewClient(Account{BaseURL: baseURL(account), AppID: account.AppID, AppSecret: appSecret}, config.Services),
		appID:    account.AppID,
		mode:     account.MessageMode,
		token:    token,
		keys:     keys,
	}, nil
}

// FetchFile gets a file that a customer sent.
func (c *Connector) FetchFile(ctx context.Context, platformID string) (connectors.File, error) {
	return c.Fetch(ctx, platformID)
}

// value reads a key of a Secret without the line break that editors and `echo` leave behind.
func value(secret map[string][]byte, key string) string {
	return strings.TrimSpace(string(secret[key]))
}

func aesKeys(secret map[string][]byte) (Keys, error) {
	var keys Keys
	var seen []string
	for _, name := range []string{keyAES, keyPreviousAES} {
		encoded := value(secret, name)
		if encoded == "" || slices.Contains(seen, encoded) {
			continue
		}
		seen = append(seen, encoded)
		key, err := ParseKey(encoded)
		if err != nil {
			return nil, fmt.Errorf("the Secret's key %s: %w", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
