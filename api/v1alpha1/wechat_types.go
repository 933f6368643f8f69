package v1alpha1

// MessageMode is how WeChat encrypts what it pushes, as chosen in its console.
// +kubebuilder:validation:Enum=Plaintext;Compatible;Secure
type MessageMode string

// The message modes of WeChat's console: 明文模式, 兼容模式, 安全模式.
const (
	MessageModePlaintext  MessageMode = "Plaintext"
	MessageModeCompatible MessageMode = "Compatible"
	MessageModeSecure     MessageMode = "Secure"
)

// DefaultWeChatAPIBaseURL is WeChat's own API host.
const DefaultWeChatAPIBaseURL = "https://api.weixin.qq.com"

// WeChatAccount is an account on WeChat, and how it is spoken to.
type WeChatAccount struct {
	// appID of the account: wx and 16 hexadecimal digits. Cannot be changed.
	// +required
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^wx[0-9a-f]{16}$')",message="appID is wx and 16 hexadecimal digits, as the WeChat console shows it"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appID is immutable: openids belong to one account; make a new Channel instead"
	AppID string `json:"appID"`

	// credentialsSecretRef names the Secret with the keys appSecret, token, encodingAESKey and, for 24 hours after a
	// change of the key in the console, previousEncodingAESKey. It is reloaded in place when it changes.
	// encodingAESKey may be absent in message mode Plaintext.
	// +required
	CredentialsSecretRef CredentialsReference `json:"credentialsSecretRef"`

	// messageMode is the mode chosen in the WeChat console: Plaintext, Compatible or Secure. Default Secure.
	// A Secure Channel refuses plaintext messages.
	// +optional
	// +kubebuilder:default=Secure
	MessageMode MessageMode `json:"messageMode,omitempty"`

	// apiBaseURL is where WeChat's API is called: scheme and host, at most 253 characters. Default https://api.weixin.qq.com. Others must be
	// on the operator's allow-list.
	// +optional
	// +kubebuilder:default="https://api.weixin.qq.com"
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#]+$')",message="write apiBaseURL as scheme and host without a path, for example https://api.weixin.qq.com"
	APIBaseURL string `json:"apiBaseURL,omitempty"`
}

// MiniProgramSpec configures a WeChat mini-program's customer service.
type MiniProgramSpec struct {
	WeChatAccount `json:",inline"`
}

// OfficialAccountSpec configures a WeChat official account (公众号): its messages, and its menu.
type OfficialAccountSpec struct {
	WeChatAccount `json:",inline"`

	// messagesPerContact is how many messages WeChat lets through in the 48 hours after each message of a customer's, 1 to 20.
	// Default 5. Accounts of before have 20.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	MessagesPerContact int32 `json:"messagesPerContact,omitempty"`

	// menu is what stands below the chat. Default: the account's menu is left as it is.
	// +optional
	Menu *Menu `json:"menu,omitempty"`

	// notices are the templates by which customers are told of their own business while WeChat takes no answer, at most 10.
	// Default: none, and nobody is told so. WeChat sends them for certified service accounts.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	Notices []NoticeTemplate `json:"notices,omitempty"`
}

// Menu is an official account's menu.
type Menu struct {
	// buttons from left to right, 1 to 3.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Buttons []MenuButton `json:"buttons"`
}

// MenuButton is a button of the menu: it does one thing, or opens a list of items.
// +kubebuilder:validation:XValidation:rule="(has(self.key) ? 1 : 0) + (has(self.url) ? 1 : 0) + (has(self.miniProgram) ? 1 : 0) + (has(self.items) ? 1 : 0) == 1",message="set exactly one of key, url, miniProgram and items"
type MenuButton struct {
	// name that stands on the button, at most 16 bytes in UTF-8, which are five Chinese characters. WeChat shows four.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 16",message="name a button of the menu's first level with at most 16 bytes: five Chinese characters, of which WeChat shows four"
	Name string `json:"name"`

	MenuAction `json:",inline"`

	// items of the list that the button opens, from top to bottom, 1 to 5.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Items []MenuItem `json:"items,omitempty"`
}

// MenuItem is an item of a list in the menu.
// +kubebuilder:validation:XValidation:rule="(has(self.key) ? 1 : 0) + (has(self.url) ? 1 : 0) + (has(self.miniProgram) ? 1 : 0) == 1",message="set exactly one of key, url and miniProgram"
type MenuItem struct {
	// name of the item, at most 60 bytes in UTF-8, which are twenty Chinese characters. WeChat shows eight.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=60
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 60",message="name an item of the menu with at most 60 bytes: twenty Chinese characters, of which WeChat shows eight"
	Name string `json:"name"`

	MenuAction `json:",inline"`
}

// MenuAction is what a tap does.
type MenuAction struct {
	// key that the tap sends to the bot, at most 128 bytes in UTF-8: the rules of the Playbook match it by `menuKeys`.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 128",message="write a menu key of at most 128 bytes"
	Key string `json:"key,omitempty"`

	// url of the page that the tap opens, http or https, at most 1024 bytes in UTF-8.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#]') && size(bytes(self)) <= 1024",message="write url as an address with http:// or https://, at most 1024 bytes"
	URL string `json:"url,omitempty"`

	// miniProgram is the page of a mini-program that the tap opens.
	// +optional
	MiniProgram *MenuMiniProgram `json:"miniProgram,omitempty"`
}

// MenuMiniProgram is a page of a mini-program that is linked to the official account.
type MenuMiniProgram struct {
	// appID of the mini-program, wx and 16 hexadecimal digits. It must be linked to the account in WeChat's console.
	// +required
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^wx[0-9a-f]{16}$')",message="appID is wx and 16 hexadecimal digits, as the WeChat console shows it"
	AppID string `json:"appID"`
	// pagePath is the page, such as pages/order/list, at most 1024 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	PagePath string `json:"pagePath"`
	// url of the page that old versions of WeChat open instead, http or https, at most 1024 bytes in UTF-8.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#]') && size(bytes(self)) <= 1024",message="write url as an address with http:// or https://, at most 1024 bytes"
	URL string `json:"url"`
}

// WeChat is the account of a Channel on WeChat; nil of one that has none.
func (s *ChannelSpec) WeChat() *WeChatAccount {
	switch {
	case s.MiniProgram != nil:
		return &s.MiniProgram.WeChatAccount
	case s.OfficialAccount != nil:
		return &s.OfficialAccount.WeChatAccount
	default:
		return nil
	}
}
