package v1alpha1

// NoticeField is one of the things that a notice tells.
// +kubebuilder:validation:Enum=case;state;detail;time
type NoticeField string

// What notices tell: which case it is, what became of it, what else there is to say, and when it was.
const (
	NoticeCase   NoticeField = "case"
	NoticeState  NoticeField = "state"
	NoticeDetail NoticeField = "detail"
	NoticeTime   NoticeField = "time"
)

// NoticeTemplate is the template (模板消息) by which WeChat sends notices of one name. A notice needs no message of the customer's
// before it and counts against none; who does not follow the account gets none.
// +kubebuilder:validation:XValidation:rule="!(has(self.url) && has(self.miniProgram))",message="set url or miniProgram, not both: a tap on a notice opens one page"
type NoticeTemplate struct {
	// name of the notices: afterSales is what customers are told of the state of their returns and exchanges. A letter, then
	// letters and digits, at most 63.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-zA-Z0-9]*$')",message="name notices by a small letter, then letters and digits, such as afterSales"
	Name string `json:"name"`

	// templateID of the template, as the console shows it (广告与服务 → 模板消息 → 我的模板), at most 64 letters, digits, - and _.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="copy templateID from the console: letters, digits, - and _"
	TemplateID string `json:"templateID"`

	// values say what stands in each place of the template, 1 to 10: WeChat refuses a notice that leaves a place empty.
	// +required
	// +listType=map
	// +listMapKey=key
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Values []NoticeValue `json:"values"`

	// url of the page that a tap opens, http or https, at most 1024 bytes in UTF-8. Default: a tap opens nothing.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#]') && size(bytes(self)) <= 1024",message="write url as an address with http:// or https://, at most 1024 bytes"
	URL string `json:"url,omitempty"`

	// miniProgram is the page of a mini-program that a tap opens instead.
	// +optional
	MiniProgram *NoticePage `json:"miniProgram,omitempty"`
}

// NoticeValue is what stands in one place of a template.
type NoticeValue struct {
	// key of the place: thing1 for {{thing1.DATA}}. Its letters tell WeChat what may stand there, and what is longer is cut to
	// that: 5 characters of a phrase, 10 of a name, 32 of a character_string, number or letter, 20 of all others.
	// +required
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z_]*[0-9]{0,2}$')",message="write the key as it stands in the template, without .DATA: thing1"
	Key string `json:"key"`

	// from is what of the notice stands there: case, state, detail or time. Of what a notice does not tell a dash stands there.
	// +required
	From NoticeField `json:"from"`
}

// NoticePage is a page of a mini-program that is linked to the official account.
type NoticePage struct {
	// appID of the mini-program, wx and 16 hexadecimal digits. It must be linked to the account in WeChat's console.
	// +required
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^wx[0-9a-f]{16}$')",message="appID is wx and 16 hexadecimal digits, as the WeChat console shows it"
	AppID string `json:"appID"`
	// pagePath is the page, such as pages/case/list, at most 1024 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	PagePath string `json:"pagePath"`
}

// Notice is the template for notices of a name; nil where the Channel declares none, and for Channels that send no notices.
func (s *ChannelSpec) Notice(name string) *NoticeTemplate {
	if s.OfficialAccount == nil {
		return nil
	}
	for i := range s.OfficialAccount.Notices {
		if template := &s.OfficialAccount.Notices[i]; template.Name == name {
			return template
		}
	}
	return nil
}
