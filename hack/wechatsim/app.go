package wechatsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kind is what an account is to the platform.
type Kind string

// Mode is how pushes are protected.
type Mode string

// Format is how a push body is written.
type Format string

// Order says whether the pushes of one customer wait for one another.
type Order string

// Permission is a group of API calls that the platform may refuse to an account.
type Permission string

// RetrySignature says whether an attempt after the first is signed anew.
type RetrySignature string

// The values that an App may hold; the first of each group is the default.
const (
	KindMiniProgram     Kind = "miniProgram"
	KindOfficialAccount Kind = "officialAccount"

	ModePlaintext  Mode = "plaintext"
	ModeCompatible Mode = "compatible"
	ModeSecure     Mode = "secure"

	FormatJSON Format = "JSON"
	FormatXML  Format = "XML"

	OrderSequential Order = "sequential"
	OrderParallel   Order = "parallel"

	RetrySame  RetrySignature = "same"
	RetryFresh RetrySignature = "fresh"
)

// The permissions that an App may be denied.
const (
	PermissionSend     Permission = "send" // custom/send and custom/typing
	PermissionTemplate Permission = "template"
	PermissionMedia    Permission = "media"
	PermissionUser     Permission = "user"
	PermissionMenu     Permission = "menu"
	PermissionQRCode   Permission = "qrcode"
)

const (
	defaultTokenLifetime  = 2 * time.Hour
	defaultDailySendQuota = 500_000
	defaultSendsPerText   = 5
	maxApps               = 100
)

// App is what the platform's console knows about one account.
type App struct {
	// appID names the account and ends every encrypted message.
	AppID string `json:"appID"`
	// appSecret buys access tokens.
	AppSecret string `json:"appSecret"`
	// token signs the pushes (letters and digits, 3 to 32).
	Token string `json:"token"`
	// encodingAESKey is needed in compatible and secure mode (43 letters or digits).
	EncodingAESKey string `json:"encodingAESKey,omitempty"`
	// originalID is the gh_... id that pushes are addressed to.
	OriginalID string `json:"originalID"`
	// name is shown on the page.
	Name string `json:"name,omitempty"`
	// kind is miniProgram (default) or officialAccount.
	Kind Kind `json:"kind,omitempty"`
	// mode is plaintext (default), compatible or secure.
	Mode Mode `json:"mode,omitempty"`
	// format is JSON (default) or XML; an official account has XML only.
	Format Format `json:"format,omitempty"`
	// callbackURL receives the pushes; its host must be localhost or a loopback or private address.
	CallbackURL string `json:"callbackURL,omitempty"`
	// order is sequential (default) or parallel.
	Order Order `json:"order,omitempty"`
	// retrySignature is same (default) or fresh.
	RetrySignature RetrySignature `json:"retrySignature,omitempty"`
	// tokenLifetime is how long an access token lives (default 2h).
	TokenLifetime Duration `json:"tokenLifetime,omitempty"`
	// businessPaths opens /cgi-bin/message/custom/business/{send,typing} as well; without it they answer 48001.
	BusinessPaths bool `json:"businessPaths,omitempty"`
	// markFailAfter stops pushing for a minute after so many messages given up in a row (0 = never).
	MarkFailAfter int `json:"markFailAfter,omitempty"`
	// dailySendQuota is the number of customer messages a day (default 500000), then 45009.
	DailySendQuota int `json:"dailySendQuota,omitempty"`
	// sendsPerMessage is how many messages a message of the customer's allows for 48 h (default 5; older official accounts: 20).
	SendsPerMessage int `json:"sendsPerMessage,omitempty"`
	// denied lists the permissions that the account lacks: send, template, media, user, menu, qrcode. Their calls answer 48001.
	Denied []Permission `json:"denied,omitempty"`
	// openPlatform names the open platform account that the app is bound to. A person has one unionid in all apps of it;
	// an app that is bound to none knows no unionid.
	OpenPlatform string `json:"openPlatform,omitempty"`
	// templates are the template messages of an official account, text by id: {"TM1": "订单 {{number.DATA}} 已发货"}.
	Templates map[string]string `json:"templates,omitempty"`
	// kfAccounts may stand in customservice.kf_account of a message; without any, such a message answers 65400.
	KFAccounts []string `json:"kfAccounts,omitempty"`
	// mpnews allows messages of that type, as accounts have it that did not move to the draft box; without it they answer 48008.
	MPNews bool `json:"mpnews,omitempty"`
}

// Duration is a time.Duration written as "90s" in JSON.
type Duration time.Duration

// MarshalText writes the duration in Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("reading duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// Config is the file given at start.
type Config struct {
	Apps []App `json:"apps"`
}

// LoadConfig reads a configuration file.
func LoadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading config: %w", err)
	}
	var config Config
	if err := strictJSON(data, &config); err != nil {
		return Config{}, fmt.Errorf("parsing config: %w", err)
	}
	return config, nil
}

func (a *App) setDefaults() {
	setDefault(&a.Kind, KindMiniProgram)
	setDefault(&a.Mode, ModePlaintext)
	a.Format = Format(strings.ToUpper(string(a.Format)))
	if a.Kind == KindOfficialAccount {
		setDefault(&a.Format, FormatXML)
	}
	setDefault(&a.Format, FormatJSON)
	setDefault(&a.Order, OrderSequential)
	setDefault(&a.RetrySignature, RetrySame)
	setDefault(&a.TokenLifetime, Duration(defaultTokenLifetime))
	setDefault(&a.DailySendQuota, defaultDailySendQuota)
	setDefault(&a.SendsPerMessage, defaultSendsPerText)
	setDefault(&a.Name, a.AppID)
}

func setDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

func (a *App) validate() error {
	identifier := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	token := regexp.MustCompile(`^[A-Za-z0-9]{3,32}$`)
	switch {
	case !identifier.MatchString(a.AppID):
		return problemf(http.StatusBadRequest, "appID must be 1 to 64 letters, digits, - or _")
	case a.AppSecret == "":
		return problemf(http.StatusBadRequest, "appSecret is missing")
	case !token.MatchString(a.Token):
		return problemf(http.StatusBadRequest, "token must be 3 to 32 letters or digits")
	case !identifier.MatchString(a.OriginalID):
		return problemf(http.StatusBadRequest, "originalID must look like gh_97417a04a28d")
	case a.Kind != KindMiniProgram && a.Kind != KindOfficialAccount:
		return problemf(http.StatusBadRequest, "kind must be miniProgram or officialAccount")
	case a.Mode != ModePlaintext && a.Mode != ModeCompatible && a.Mode != ModeSecure:
		return problemf(http.StatusBadRequest, "mode must be plaintext, compatible or secure")
	case a.Format != FormatJSON && a.Format != FormatXML:
		return problemf(http.StatusBadRequest, "format must be JSON or XML")
	case a.Kind == KindOfficialAccount && a.Format != FormatXML:
		return problemf(http.StatusBadRequest, "format of an official account must be XML: the platform has no other for it")
	case a.SendsPerMessage < 1:
		return problemf(http.StatusBadRequest, "sendsPerMessage must be at least 1")
	case a.Order != OrderSequential && a.Order != OrderParallel:
		return problemf(http.StatusBadRequest, "order must be sequential or parallel")
	case a.RetrySignature != RetrySame && a.RetrySignature != RetryFresh:
		return problemf(http.StatusBadRequest, "retrySignature must be same or fresh")
	case a.TokenLifetime < Duration(time.Second):
		return problemf(http.StatusBadRequest, "tokenLifetime must be at least 1s")
	}
	for _, p := range a.Denied {
		if !slices.Contains(permissions(), p) {
			return problemf(http.StatusBadRequest, "denied must name some of %v", permissions())
		}
	}
	if a.Mode != ModePlaintext || a.EncodingAESKey != "" {
		if _, err := decodeKey(a.EncodingAESKey); err != nil {
			return problemf(http.StatusBadRequest, "%v", err)
		}
	}
	if a.CallbackURL == "" {
		return nil
	}
	return checkCallback(a.CallbackURL)
}

func permissions() []Permission {
	return []Permission{PermissionSend, PermissionTemplate, PermissionMedia, PermissionUser, PermissionMenu, PermissionQRCode}
}

// checkCallback refuses what could leave the machine. Names other than localhost are refused too: to resolve
// them would already be a question to somebody else.
func checkCallback(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return problemf(http.StatusBadRequest, "callbackURL must be an http or https URL")
	}
	if u.Hostname() == "localhost" || isLocal(u.Hostname()) {
		return nil
	}
	return problemf(http.StatusBadRequest, "callbackURL must point to localhost or to a loopback or private address: nothing may leave this machine")
}

func isLocal(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Unmap().IsLoopback() || addr.Unmap().IsPrivate())
}

// checkDialled is the second lock on the same door: whatever localhost resolves to must be local as well.
func checkDialled(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("splitting address: %w", err)
	}
	if !isLocal(host) {
		return problemf(http.StatusForbidden, "callback address is not local")
	}
	return nil
}

// mergeApp lays the fields of a JSON object over an app; what the object does not name stays.
func mergeApp(app App, patch []byte) (App, error) {
	id := app.AppID
	// The decoder writes into what is there, and others read the app meanwhile.
	app.Denied, app.KFAccounts, app.Templates = slices.Clone(app.Denied), slices.Clone(app.KFAccounts), maps.Clone(app.Templates)
	if err := strictJSON(patch, &app); err != nil {
		return App{}, problemf(http.StatusBadRequest, "reading app: %v", err)
	}
	if app.AppID != id {
		return App{}, problemf(http.StatusBadRequest, "appID cannot be changed")
	}
	return app, nil
}

func strictJSON(data []byte, into any) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
