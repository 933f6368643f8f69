// Package message is the contract between the planes: what travels through Kafka, and how it is written there.
//
// Every record is a CloudEvent 1.0 in binary mode (ce_* headers, JSON data) with the W3C trace context beside it. The
// package knows no Kafka client, no database and no clock. Fields may be added, never renamed or given another meaning:
// a reader of the version before must still understand what a writer of this version writes.
package message

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Type is the CloudEvents type of an envelope.
type Type string

// The types of envelopes, with the payload each carries.
const (
	// TypeInbound carries an Inbound on the inbound topic: a customer did something.
	TypeInbound Type = "dev.yingda.inbound.v1"
	// TypeDelivery carries a Delivery on the inbound topic: a connector tells what became of an Outbound.
	TypeDelivery Type = "dev.yingda.delivery.v1"
	// TypeOutbound carries an Outbound on a pool's outbound topic: say this to a customer.
	TypeOutbound Type = "dev.yingda.outbound.v1"
	// TypeFrame carries a Frame on the events topic: an agent's desk has news.
	TypeFrame Type = "dev.yingda.frame.v1"
)

// Envelope is one event on its way. Data is the JSON of the payload that Type names.
type Envelope struct {
	// ID is unique per event and the same on every retry; consumers dedupe by it where the payload has no better key.
	ID string
	// Type tells the payload.
	Type Type
	// Source is who wrote the event: /<namespace>/<brand>/<component>.
	Source string
	// Subject is the Channel or Agent that the event is about.
	Subject string
	// Time is when the event was written.
	Time time.Time
	// Key decides the partition, and with it the order: CustomerKey or the Agent's name.
	Key string
	// TraceParent and TraceState are the W3C trace context of the writer; empty without a trace.
	TraceParent string
	TraceState  string
	// Data is the payload as JSON.
	Data json.RawMessage
}

// CustomerKey is the partition key of all that concerns one customer on one Channel.
func CustomerKey(channel, customer string) string { return channel + "/" + customer }

// Kind says what a message holds.
type Kind string

// The kinds of content.
const (
	KindText            Kind = "text"
	KindImage           Kind = "image"
	KindLink            Kind = "link"
	KindMiniProgramPage Kind = "miniProgramPage"
	KindVoice           Kind = "voice"
	KindVideo           Kind = "video"
	KindLocation        Kind = "location"
	KindMusic           Kind = "music"
	// KindArticle is an article that the account has published.
	KindArticle Kind = "article"
	// KindCard is a coupon of the platform's.
	KindCard Kind = "card"
	// KindChoices is a text with choices to tap.
	KindChoices Kind = "choices"
	// KindEntered is no message: the customer opened the chat.
	KindEntered Kind = "entered"
	// KindFollowed is no message: the customer follows the account now. SessionFrom is the scene of the QR code, if one led there.
	KindFollowed Kind = "followed"
	// KindUnfollowed is no message: the customer follows the account no more, and nothing that is said reaches them.
	KindUnfollowed Kind = "unfollowed"
	// KindScanned is no message: a follower scanned a QR code, whose scene is SessionFrom.
	KindScanned Kind = "scanned"
	// KindMenuTap is no message: the customer tapped the menu's button of that MenuKey.
	KindMenuTap Kind = "menuTap"
	// KindPosition is no message: where the customer's device is, which the platform tells again and again.
	KindPosition Kind = "position"
	// KindChannelGone is no message: the Channel was deleted, and the conversation ended with it. Only transcripts hold it.
	KindChannelGone Kind = "channelGone"
	// KindNotice is a notice about the customer's own business, sent by the platform's template also while no answer may be sent.
	KindNotice Kind = "notice"
	// KindTyping is no message: the customer is shown that somebody types.
	KindTyping Kind = "typing"
	// KindUnsupported is a message of a type that this version does not know; Raw keeps it.
	KindUnsupported Kind = "unsupported"
)

// Content is what was said, in the terms that all channels share.
type Content struct {
	Kind Kind `json:"kind"`
	// Text of a text message, above choices, or what the platform understood of a voice message.
	Text string `json:"text,omitempty"`
	// Choice is the id of the choice that the customer tapped; Text is its words.
	Choice string `json:"choice,omitempty"`
	// Choices of a message with choices, at most ten.
	Choices []Choice `json:"choices,omitempty"`
	// Media of an image, a voice message or a video.
	Media *Media `json:"media,omitempty"`
	// Thumb is the still picture of a video, or the cover of a piece of music.
	Thumb *Media `json:"thumb,omitempty"`
	// PlatformID is the platform's own name of an article or a card.
	PlatformID string `json:"platformId,omitempty"`
	// Location that the customer sent, or where their device is.
	Location *Location `json:"location,omitempty"`
	// Link of a link card, or to a piece of music.
	Link *Link `json:"link,omitempty"`
	// Page of a mini-program card.
	Page *Page `json:"page,omitempty"`
	// SessionFrom is where a customer who entered, followed or scanned came from.
	SessionFrom string `json:"sessionFrom,omitempty"`
	// LoginCode redeems the login of a customer who entered: the platform says who they are for it, once.
	LoginCode string `json:"loginCode,omitempty"`
	// Notice of a notice; Text is the same in words, for transcripts.
	Notice *Notice `json:"notice,omitempty"`
	// About is what a text tells of, so that it is told otherwise where the text does not arrive. It is not for the customer: no
	// connector sends it.
	About *About `json:"about,omitempty"`
	// MenuKey is the key of the button that was tapped.
	MenuKey string `json:"menuKey,omitempty"`
	// RawType is the platform's own name of an unsupported message's type.
	RawType string `json:"rawType,omitempty"`
	// Raw is the platform's own text of an unsupported message, at most 64 KiB.
	Raw string `json:"raw,omitempty"`
}

// Media is a picture or another file.
type Media struct {
	// ID is our own name of the file, under which the store keeps it.
	ID uuid.UUID `json:"id"`
	// PlatformID is the platform's name; it dies after three days.
	PlatformID string `json:"platformId,omitempty"`
	// ContentType is known once the file is stored.
	ContentType string `json:"contentType,omitempty"`
}

// IsEvent says whether the content is an event of the platform's that this version does not know. The customer wrote nothing,
// and may not even have been there: connectors name its type "event/<name>".
func (c *Content) IsEvent() bool {
	return c.Kind == KindUnsupported && (c.RawType == "event" || strings.HasPrefix(c.RawType, "event/"))
}

// Choice is one of the choices of a message.
type Choice struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Notice is what a platform's template is filled with. Which template that is the Channel declares.
type Notice struct {
	// Name is what the notice is about: afterSales.
	Name string `json:"name"`
	// Case and Step are what it tells of, so that it is told otherwise where the notice does not arrive; empty where nothing is owed.
	Case string `json:"case,omitempty"`
	Step string `json:"step,omitempty"`
	// Values fill the template by the names that the Channel's declaration gives them: case, state, detail, time.
	Values map[string]string `json:"values"`
}

// About names a step of a case.
type About struct {
	Case string `json:"case"`
	Step string `json:"step"`
}

// Tells is the step of a case that the content tells of; nil where nothing is owed.
func (c *Content) Tells() *About {
	if c.Notice != nil && c.Notice.Case != "" {
		return &About{c.Notice.Case, c.Notice.Step}
	}
	return c.About
}

// Location is a place.
type Location struct {
	// Latitude and Longitude in degrees.
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	// Label is the place as people call it.
	Label string `json:"label,omitempty"`
}

// Link is a card that opens a page.
type Link struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url"`
	ThumbURL    string `json:"thumbUrl,omitempty"`
}

// Page is a card that opens a page of a mini-program.
type Page struct {
	Title string `json:"title"`
	AppID string `json:"appId,omitempty"`
	Path  string `json:"path"`
	// Thumb is the card's picture.
	Thumb *Media `json:"thumb,omitempty"`
}

// Inbound is what a customer did.
type Inbound struct {
	// Channel is the Channel's name.
	Channel string `json:"channel"`
	// Customer is the customer's id on the channel (WeChat: the openid).
	Customer string `json:"customer"`
	// MessageID is unique on the Channel and the same on every delivery by the platform. Events that have none get one
	// of sender, time and kind.
	MessageID string `json:"messageId"`
	// SentAt is the platform's time.
	SentAt time.Time `json:"sentAt"`
	// ReceivedAt is when the connector first held the message.
	ReceivedAt time.Time `json:"receivedAt"`
	Content    Content   `json:"content"`
	// Reply is what the connector said in its answer to the platform's call; nil where it said nothing. Nobody says it again.
	Reply *Reply `json:"reply,omitempty"`
	// InDoubt names the platform's call that brought the message, where its connector could not find out whether it is
	// remembered to have said something in it: it has not. Nil otherwise.
	InDoubt uuid.UUID `json:"inDoubt,omitzero"`
}

// Reply is what the bot said at once, in the answer to the platform's call. It counts against no quota.
type Reply struct {
	Reason   ReplyReason `json:"reason"`
	Contents []Content   `json:"contents"`
	// MessageIDs are our own ids of the contents; writers of before give none.
	MessageIDs []uuid.UUID `json:"messageIds,omitempty"`
	// Banner is the number of the emergency of which the first of the contents tells; 0 for none.
	Banner int64 `json:"banner,omitempty"`
}

// ReplyReason says why the bot said something at once.
type ReplyReason string

// The reasons of replies.
const (
	// ReplyWelcome: the customer came.
	ReplyWelcome ReplyReason = "welcome"
	// ReplyRule: a rule of the Playbook answers what the customer did.
	ReplyRule ReplyReason = "rule"
	// ReplyOffHours: nobody serves now.
	ReplyOffHours ReplyReason = "offHours"
)

// Outbound is what is to be said to a customer.
type Outbound struct {
	// MessageID is our own id of the message, by which connectors dedupe.
	MessageID uuid.UUID `json:"messageId"`
	// Channel is the Channel's name.
	Channel string `json:"channel"`
	// Customer is the customer's id on the channel.
	Customer string `json:"customer"`
	// Conversation is where the message belongs; connectors carry it along.
	Conversation uuid.UUID `json:"conversation"`
	Content      Content   `json:"content"`
	// NotAfter bounds what is worth sending late, such as typing; zero means always.
	NotAfter time.Time `json:"notAfter,omitzero"`
	// WhileWaiting says that it is of use only while no agent has the conversation, such as the place in a queue.
	WhileWaiting bool `json:"whileWaiting,omitempty"`
}

// DeliveryState is what became of an outbound message.
type DeliveryState string

// The states of a delivery; Delivered, Failed, Unknown and Superseded are final, but that a platform may say of a notice later that it was
// not delivered after all: it is Failed then.
const (
	// DeliveryQueued waits in Kafka or for its turn.
	DeliveryQueued DeliveryState = "queued"
	// DeliverySending is committed before the platform is called.
	DeliverySending DeliveryState = "sending"
	// DeliveryDeferred failed in a way that may pass and waits for its next try.
	DeliveryDeferred DeliveryState = "deferred"
	// DeliveryDelivered was accepted by the platform.
	DeliveryDelivered DeliveryState = "delivered"
	// DeliveryFailed was refused for good.
	DeliveryFailed DeliveryState = "failed"
	// DeliveryUnknown was sent, and nobody knows whether it arrived; it is never sent again by itself.
	DeliveryUnknown DeliveryState = "unknown"
	// DeliverySuperseded was never sent: by its turn it would have told the customer what is not so any more.
	DeliverySuperseded DeliveryState = "superseded"
)

// Final says whether the state never changes again.
func (s DeliveryState) Final() bool {
	return s == DeliveryDelivered || s == DeliveryFailed || s == DeliveryUnknown || s == DeliverySuperseded
}

// Delivery tells what became of an Outbound.
type Delivery struct {
	MessageID uuid.UUID     `json:"messageId"`
	Channel   string        `json:"channel"`
	Customer  string        `json:"customer"`
	State     DeliveryState `json:"state"`
	// Code is the platform's error code, 0 without one.
	Code int `json:"code,omitempty"`
	// Reason is for agents to read: a short English identifier such as WindowClosed.
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Frame is news for one agent's desk. Seq counts per agent from 1 without gaps, so that a desk that missed some asks for them.
type Frame struct {
	Agent string `json:"agent"`
	Seq   int64  `json:"seq"`
	// Kind names the payload: see the desk's API.
	Kind    FrameKind       `json:"kind"`
	Payload json.RawMessage `json:"payload"`
	At      time.Time       `json:"at"`
}

// FrameKind names the payload of a Frame.
type FrameKind string

// The kinds of frames.
const (
	// FrameConversation: a conversation was assigned, changed or closed; the payload is its summary.
	FrameConversation FrameKind = "conversation"
	// FrameMessage: a message was added to a conversation.
	FrameMessage FrameKind = "message"
	// FrameDelivery: the delivery state of a message changed.
	FrameDelivery FrameKind = "delivery"
	// FrameComplaint: a complaint was opened, escalated, resolved or is due for follow-up.
	FrameComplaint FrameKind = "complaint"
	// FrameCase: a case that somebody has to do something for was opened or changed.
	FrameCase FrameKind = "case"
	// FrameQueue: a queue of the agent's became too long, or somebody in it waits for too long.
	FrameQueue FrameKind = "queue"
	// FrameWindow: a customer waits, and the platform soon takes no answer any more.
	FrameWindow FrameKind = "window"
	// FrameLate: a customer waits for too long for an answer.
	FrameLate FrameKind = "late"
	// FrameRating: a customer was not content with how they were served; for those who supervise.
	FrameRating FrameKind = "rating"
)
