package miniprogram

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/internal/message"
)

// Check fetches an access token.
func (c *connector) Check(ctx context.Context) error { return c.client.Check(ctx) }

// Close releases idle connections.
func (c *connector) Close() { c.client.Close() }

// Profile redeems a login of the customer's: the platform says nothing of who has not logged in.
func (c *connector) Profile(ctx context.Context, customer, loginCode string) (connectors.Profile, error) {
	if loginCode == "" {
		return connectors.Profile{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "NotLoggedIn"}
	}
	return c.client.Login(ctx, customer, loginCode)
}

// FetchFile gets a file that a customer sent.
func (c *connector) FetchFile(ctx context.Context, platformID string) (connectors.File, error) {
	return c.client.Fetch(ctx, platformID)
}

// Send says something to a customer.
func (c *connector) Send(ctx context.Context, out message.Outbound) error {
	content := out.Content
	switch {
	case content.Kind == message.KindTyping:
		return c.client.Typing(ctx, out.Customer)
	case content.Kind == message.KindText:
		return c.client.Send(ctx, textMessage(out.Customer, content.Text))
	case content.Kind == message.KindLink && content.Link != nil:
		return c.client.Send(ctx, linkMessage(out.Customer, content.Link))
	case content.Kind == message.KindImage && content.Media != nil:
		return c.sendWithPicture(ctx, content.Media, func(mediaID string) any { return imageMessage(out.Customer, mediaID) })
	case content.Kind == message.KindMiniProgramPage && content.Page != nil && content.Page.Thumb != nil:
		return c.sendWithPicture(ctx, content.Page.Thumb, func(mediaID string) any { return pageMessage(out.Customer, content.Page, mediaID) })
	case content.Kind == message.KindMiniProgramPage && content.Page != nil:
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "ThumbMissing"}
	default:
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "TypeNotSupported"}
	}
}

// sendWithPicture uploads the picture unless the platform still has it. A picture that died early is uploaded again, once:
// a message refused for it was certainly not sent.
func (c *connector) sendWithPicture(ctx context.Context, media *message.Media, body func(mediaID string) any) error {
	mediaID, err := c.services.Files.Uploaded(ctx, c.channel, media.ID)
	if err != nil {
		return fileFailure(err)
	}
	if mediaID != "" {
		if err := c.client.Send(ctx, body(mediaID)); !wechat.IsMediaGone(err) {
			return err
		}
	}
	if mediaID, err = c.upload(ctx, media.ID); err != nil {
		return err
	}
	return c.client.Send(ctx, body(mediaID))
}

func (c *connector) upload(ctx context.Context, id uuid.UUID) (string, error) {
	release, err := c.client.HoldFile(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	file, err := c.services.Files.Read(ctx, c.channel, id)
	if err != nil {
		return "", fileFailure(err)
	}
	mediaID, expires, err := c.client.Upload(ctx, file)
	if err != nil {
		return "", err
	}
	if err := c.services.Files.SetUploaded(ctx, c.channel, id, mediaID, expires); err != nil {
		// The next message uploads it again; this one has what it needs.
		c.services.Logger.WarnContext(ctx, "Cannot remember an upload", "Channel", c.channel, "error", err)
	}
	return mediaID, nil
}

// fileFailure: nothing was sent yet, so everything but a file that is not there may be tried again.
func fileFailure(err error) error {
	if errors.Is(err, connectors.ErrNoFile) {
		return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "FileMissing"}
	}
	return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "FileNotRead", Err: err}
}

type outgoing struct {
	ToUser  string        `json:"touser"`
	MsgType string        `json:"msgtype"`
	Text    *outgoingText `json:"text,omitempty"`
	Image   *outgoingFile `json:"image,omitempty"`
	Link    *outgoingLink `json:"link,omitempty"`
	Page    *outgoingPage `json:"miniprogrampage,omitempty"`
}

type outgoingText struct {
	Content string `json:"content"`
}

type outgoingFile struct {
	MediaID string `json:"media_id"`
}

type outgoingLink struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	ThumbURL    string `json:"thumb_url"`
}

type outgoingPage struct {
	Title        string `json:"title"`
	PagePath     string `json:"pagepath"`
	ThumbMediaID string `json:"thumb_media_id"`
}

func textMessage(openID, text string) outgoing {
	return outgoing{ToUser: openID, MsgType: "text", Text: &outgoingText{Content: text}}
}

func linkMessage(openID string, link *message.Link) outgoing {
	return outgoing{ToUser: openID, MsgType: "link", Link: &outgoingLink{
		Title: link.Title, Description: link.Description, URL: link.URL, ThumbURL: link.ThumbURL,
	}}
}

func imageMessage(openID, mediaID string) outgoing {
	return outgoing{ToUser: openID, MsgType: "image", Image: &outgoingFile{MediaID: mediaID}}
}

func pageMessage(openID string, page *message.Page, mediaID string) outgoing {
	return outgoing{ToUser: openID, MsgType: "miniprogrampage", Page: &outgoingPage{
		Title: page.Title, PagePath: page.Path, ThumbMediaID: mediaID,
	}}
}
