package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=pb,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Rules",type=integer,JSONPath=`.status.rules`
// +kubebuilder:printcolumn:name="FAQ",type=integer,JSONPath=`.status.faqEntries`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// Playbook is what the bot says and when it hands over to a human. A message that neither a rule nor the FAQ answers goes to a human.
type Playbook struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it may be changed at any time, and is in force within a second.
	// +required
	Spec PlaybookSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status PlaybookStatus `json:"status,omitempty"`
}

// PlaybookSpec declares a Playbook.
type PlaybookSpec struct {
	// texts that the bot sends by itself. Each is a Go template.
	// +optional
	// +kubebuilder:default={}
	Texts PlaybookTexts `json:"texts,omitempty"`

	// rules for what customers write, at most 256; the first that matches wins. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Rules []PlaybookRule `json:"rules,omitempty"`

	// faq are questions that the bot answers when a customer asks one of them in other words, at most 512. They are looked at
	// when no rule matches. The bot answers only where it is sure: a text that says more than a question, that denies something
	// which the question does not, or that may mean two questions, goes to a human, and so does who asks again what was answered.
	// Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=512
	FAQ []FAQEntry `json:"faq,omitempty"`

	// handOff says by which words customers ask for a human.
	// +optional
	// +kubebuilder:default={}
	HandOff HandOffSpec `json:"handOff,omitempty"`

	// intake is what customers are asked for while they wait for a human. Nobody waits for the answer: who is asked is in the
	// queue already. Default: nothing is asked.
	// +optional
	Intake *IntakeSpec `json:"intake,omitempty"`

	// survey asks customers how they were served when an agent ends their conversation. Default: nobody is asked.
	// +optional
	Survey *SurveySpec `json:"survey,omitempty"`

	// cannedReplies are texts that agents send by a short code, at most 256. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=code
	// +kubebuilder:validation:MaxItems=256
	CannedReplies []CannedReply `json:"cannedReplies,omitempty"`
}

// PlaybookTexts are Go templates over the variables Brand (display name), Channel (display name), Hours (today's opening
// hours), NextOpening (time of the next opening), QueuePosition (number of customers ahead), ExpectedWait (how long it will
// take until an agent answers, as 约 5 分钟), IntakeFields (what the customer is asked for), RatingAnswers (what they may answer) and
// AfterSalesForm (the address of the customer's own form for after-sales, which works for 24 hours and opens one case; empty without
// the Brand's spec.desk.formsURL). An empty text is not sent.
type PlaybookTexts struct {
	// welcome is sent when a customer enters the chat. Variables: Brand, Channel, Hours, AfterSalesForm. At most 600 characters.
	// Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Welcome string `json:"welcome,omitempty"`
	// offHours is sent, once per closed period, to who writes while the group is closed. Variables: Brand, Channel, Hours, NextOpening,
	// AfterSalesForm. At most 600 characters. Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	OffHours string `json:"offHours,omitempty"`
	// queued is sent once to who has to wait for a free agent, unless the platform lets only one more message through, which is
	// left to the agent. Variables: Brand, Channel, QueuePosition, ExpectedWait, AfterSalesForm. ExpectedWait goes by how quickly the group took
	// conversations in the last 30 minutes; without enough of them it is 暂时无法估计. At most 600 characters.
	// Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Queued string `json:"queued,omitempty"`
	// queueFull is sent instead of queued to who comes while the group's queue is full and no other group can take them. They
	// wait all the same. Variables: Brand, Channel, QueuePosition, ExpectedWait, AfterSalesForm. At most 600 characters. Default: an apology that
	// asks to leave a message; "" sends nothing.
	// +optional
	// +kubebuilder:default="现在咨询的人很多,可能要等较长时间。您可以直接留言,不用一直等在这里,我们会按顺序回复您。"
	// +kubebuilder:validation:MaxLength=600
	QueueFull *string `json:"queueFull,omitempty"`
	// intake asks who is given to a human for the fields of spec.intake, while they wait, unless the platform lets fewer than
	// three more messages through. Variables: Brand, Channel, IntakeFields (what they have not told yet, as 订单号、问题类型).
	// At most 600 characters. Default: a request that says that nobody has to; "" asks for nothing, and what customers
	// write by themselves is shown all the same.
	// +optional
	// +kubebuilder:default="为了更快帮您处理,可以先告诉我们:{{.IntakeFields}}。没有也没关系,客服会按顺序接待您。"
	// +kubebuilder:validation:MaxLength=600
	Intake *string `json:"intake,omitempty"`
	// survey asks how the customer was served; see spec.survey. Variables: Brand, Channel, RatingAnswers (what they may answer,
	// as 满意、一般或不满意). At most 600 characters. Default: a thanks and the question; "" asks nobody.
	// +optional
	// +kubebuilder:default="感谢您的咨询。请为这次服务评分,回复{{.RatingAnswers}}即可。"
	// +kubebuilder:validation:MaxLength=600
	Survey *string `json:"survey,omitempty"`
	// rated is sent to who has answered. Variables: Brand, Channel. At most 600 characters. Default 感谢您的评价! "" sends nothing.
	// +optional
	// +kubebuilder:default="感谢您的评价!"
	// +kubebuilder:validation:MaxLength=600
	Rated *string `json:"rated,omitempty"`
	// complaintAcknowledged is sent at once when a conversation becomes a complaint. Variables: Brand, Channel. At most 600 characters.
	// Default: nothing is sent.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	ComplaintAcknowledged string `json:"complaintAcknowledged,omitempty"`
	// banner is sent first, once a conversation, to who enters or writes while an emergency lasts (spec.emergency of the ServiceLevel)
	// and no agent has them. Variables: Brand, Channel. At most 600 characters. Default: nothing is sent, for only you know what
	// to say.
	// +optional
	// +kubebuilder:validation:MaxLength=600
	Banner string `json:"banner,omitempty"`
}

// PlaybookRule answers or hands off what matches.
// +kubebuilder:validation:XValidation:rule="has(self.reply) != has(self.handOff)",message="set exactly one of reply and handOff"
type PlaybookRule struct {
	// name of the rule, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// match says which messages the rule is for.
	// +required
	Match PlaybookMatch `json:"match"`
	// reply is what the bot answers. The conversation stays with the bot.
	// +optional
	Reply *BotReply `json:"reply,omitempty"`
	// handOff gives the conversation to a human.
	// +optional
	HandOff *RuleHandOff `json:"handOff,omitempty"`
}

// PlaybookMatch matches what a customer does.
// +kubebuilder:validation:XValidation:rule="has(self.keywords) || has(self.menuKeys)",message="set keywords, menuKeys or both"
type PlaybookMatch struct {
	// keywords are words of which the customer's text holds one, 1 to 64 of at most 32 characters; case does not matter.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32
	Keywords []string `json:"keywords,omitempty"`
	// menuKeys are keys of an official account's menu, of which the customer taps one, 1 to 16 of at most 128 characters; case
	// matters. Where keywords are set too, either will do.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	MenuKeys []string `json:"menuKeys,omitempty"`
}

// BotReply is what the bot sends.
type BotReply struct {
	// text that is sent, at most 600 characters: a Go template. Variables: Brand, Channel (display names) and AfterSalesForm, the
	// address of the customer's own form for after-sales, which works for 24 hours and opens one case. It is under the Brand's
	// spec.desk.formsURL; without that the customer is given to a human instead.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=600
	Text string `json:"text"`
	// link that is sent as a card after the text. Default: none.
	// +optional
	Link *BotLink `json:"link,omitempty"`
}

// BotLink is a link card.
type BotLink struct {
	// title of the card, at most 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Title string `json:"title"`
	// url that the card opens, https, at most 1024 characters; or {{.AfterSalesForm}} and nothing else, for the customer's own form for
	// after-sales.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('https://') || self == '{{.AfterSalesForm}}'",message="url must start with https://, or be {{.AfterSalesForm}}"
	URL string `json:"url"`
}

// TopicComplaint is the hand-off topic which starts the complaint process.
const TopicComplaint = "complaint"

// RuleHandOff gives the conversation to a human with a topic.
type RuleHandOff struct {
	// topic by which routing and priorities know the conversation, at most 63 lower-case letters, digits and hyphens. The topic complaint
	// starts the complaint process.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="write topic in lower-case letters, digits and hyphens, for example complaint"
	Topic string `json:"topic"`
}

// IntakeField is something that a customer is asked for.
// +kubebuilder:validation:Enum=OrderNumber;ProblemType;ProductName;OrderTime;Contact
type IntakeField string

// The fields of an intake.
const (
	// IntakeOrderNumber is the number of the order: a word of letters, digits and hyphens with eight digits or more.
	IntakeOrderNumber IntakeField = "OrderNumber"
	// IntakeProblemType is what kind of problem it is, in the customer's words.
	IntakeProblemType IntakeField = "ProblemType"
	// IntakeProductName is what it is about.
	IntakeProductName IntakeField = "ProductName"
	// IntakeOrderTime is when it was ordered, in the customer's words.
	IntakeOrderTime IntakeField = "OrderTime"
	// IntakeContact is the number of a mobile telephone, or what stands behind 微信.
	IntakeContact IntakeField = "Contact"
)

// IntakeSpec says what customers are asked for when they are given to a human.
type IntakeSpec struct {
	// fields that are asked for, in this order, 1 to 5 of OrderNumber, ProblemType, ProductName, OrderTime and Contact. They are
	// asked for once a conversation, in one message (texts.intake), without those that the customer has told already. What they
	// write until an agent speaks counts as the answer: the desk shows what was recognised as a card, and the rest as it is.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Fields []IntakeField `json:"fields"`
}

// SurveyScale is what customers may answer.
// +kubebuilder:validation:Enum=FiveStars;ThreeLevels
type SurveyScale string

// The scales of a survey.
const (
	// SurveyFiveStars is 1 to 5, 5 being the best; 1 and 2 are poor.
	SurveyFiveStars SurveyScale = "FiveStars"
	// SurveyThreeLevels is 满意, 一般 or 不满意, of which the last is poor.
	SurveyThreeLevels SurveyScale = "ThreeLevels"
)

// SurveySpec says how customers are asked how they were served.
//
// They are asked (texts.survey) where the platform lets at least two more messages through, of which one is left for an agent. A
// message within 72 hours that is nothing but a rating is one, while no human has the customer: it is thanked for (texts.rated)
// and opens no conversation. Whatever else they write is heard as ever. Supervisors see poor ratings at the desk.
type SurveySpec struct {
	// scale is FiveStars (1 to 5, or as many stars) or ThreeLevels (满意, 一般 or 不满意). Questions that are open keep theirs.
	// Default FiveStars.
	// +optional
	// +kubebuilder:default=FiveStars
	Scale SurveyScale `json:"scale,omitempty"`
	// remindAfter is how long after the question who has not answered is asked once more: if nothing was said since, and the
	// platform still lets two messages through, which WeChat does for 48 hours after the customer's last one. At least 10m, at
	// most 47h. Default: nobody is asked again.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write remindAfter in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('10m') && duration(self) <= duration('47h')",message="remindAfter must be at least 10m and at most 47h"
	RemindAfter string `json:"remindAfter,omitempty"`
}

// FAQEntry is a question with its answer.
type FAQEntry struct {
	// name of the entry, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// question as most customers would put it, as short as it can be: 怎么退货. At least two characters that are no question
	// words, at most 64 in all. Two ways of asking that share few characters are two entries. It may hold no hand-off phrase.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	Question string `json:"question"`
	// answer that is sent, at most 600 characters: a Go template as the text of a rule's reply, with the same variables. The conversation stays with the bot; in one conversation it is sent once.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=600
	Answer string `json:"answer"`
	// topic by which routing and priorities know the conversation if it goes to a human later, and no rule names another one.
	// At most 63 lower-case letters, digits and hyphens. A complaint is nothing for the FAQ: write a rule that hands off. Default: none.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="write topic in lower-case letters, digits and hyphens, for example after-sales"
	// +kubebuilder:validation:XValidation:rule="self != 'complaint'",message="a complaint belongs to a human at once: write a rule with handOff instead"
	Topic string `json:"topic,omitempty"`
}

// HandOffSpec says how customers reach a human.
type HandOffSpec struct {
	// phrases by which a customer asks for a human, 1 to 32 of at most 32 characters. They win over every rule, at the
	// first time that they are written. 人工 is always one of them, whether it is listed or not, so 转人工 and 人工客服 are
	// too. A rule that replies may have no keyword with a phrase in it. Default 转人工, 人工客服, 人工.
	// +optional
	// +listType=set
	// +kubebuilder:default={"转人工","人工客服","人工"}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32
	Phrases []string `json:"phrases,omitempty"`
}

// CannedReply is a text that agents send by a short code.
type CannedReply struct {
	// code that agents type after #, 1 to 16 letters and digits.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]+$')",message="write code in letters and digits without spaces, for example fp1"
	Code string `json:"code"`
	// title that the desk lists, at most 64 characters. Default: none.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Title string `json:"title,omitempty"`
	// text that is sent, at most 600 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=600
	Text string `json:"text"`
}

// PlaybookStatus reports on a Playbook.
type PlaybookStatus struct {
	// conditions are Ready, derived from Valid and Acknowledged; beside it RulesReachable and FormReachable.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// rules is the number of rules in force.
	// +optional
	Rules int32 `json:"rules,omitempty"`
	// faqEntries is the number of entries of the FAQ in force.
	// +optional
	FAQEntries int32 `json:"faqEntries,omitempty"`
}

// +kubebuilder:object:root=true

// PlaybookList is a list of Playbooks.
type PlaybookList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Playbook `json:"items"`
}
