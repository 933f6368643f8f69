package wechat

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
)

// Attached is a file that a message holds.
type Attached struct {
	Kind FileKind
	*message.Media
}

// SendWithFiles sends a message that holds files; body makes it of their ids. Files are uploaded unless the platform still has
// them. One that died early is uploaded again, once: a message refused for it was certainly not sent.
func (c *Connector) SendWithFiles(ctx context.Context, body func(mediaIDs []string) any, files ...Attached) error {
	ids, cached, err := c.uploaded(ctx, files)
	if err != nil {
		return err
	}
	if err := c.Send(ctx, body(ids)); !cached || !IsMediaGone(err) {
		return err
	}
	for i, file := range files {
		if ids[i], err = c.upload(ctx, file.Kind, file.ID); err != nil {
			return err
		}
	}
	return c.Send(ctx, body(ids))
}

// uploaded are the platform's ids of files; cached says that some were uploaded before.
func (c *Connector) uploaded(ctx context.Context, files []Attached) (ids []string, cached bool, err error) {
	for _, file := range files {
		id, err := c.Services.Files.Uploaded(ctx, c.Channel, file.ID)
		switch {
		case err != nil:
			return nil, false, fileFailure(err)
		case id != "":
			cached = true
		default:
			if id, err = c.upload(ctx, file.Kind, file.ID); err != nil {
				return nil, false, err
			}
		}
		ids = append(ids, id)
	}
	return ids, cached, nil
}

func (c *Connector) upload(ctx context.Context, kind FileKind, id uuid.UUID) (string, error) {
	release, err := c.HoldFile(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	file, err := c.Services.Files.Read(ctx, c.Channel, id)
	if err != nil {
		return "", fileFailure(err)
	}
	mediaID, expires, err := c.Upload(ctx, kind, file)
	if err != nil {
		return "", err
	}
	if err := c.Services.Files.SetUploaded(ctx, c.Channel, id, mediaID, expires); err != nil {
		// The next message uploads it again; this one has what it needs.
		c.Services.Logger.WarnContext(ctx, "Cannot remember an upload", "Channel", c.Channel, "error", err)
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
