package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

const (
	// uploadLifetime is how long the platform keeps an upload.
	uploadLifetime = 3 * 24 * time.Hour
	// uploadMargin keeps an id from dying between our look at it and the platform's.
	uploadMargin = time.Hour
)

// Upload stores a picture at the platform and returns its id, and until when the id may be used.
func (c *Client) Upload(ctx context.Context, file connectors.File) (mediaID string, expires time.Time, err error) {
	body, contentType, err := pictureForm(file)
	if err != nil {
		return "", time.Time{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "CannotEncode", Err: err}
	}
	begin := c.clock()
	err = c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "upload", method: http.MethodPost, path: "/cgi-bin/media/upload", query: url.Values{"access_token": {token}, "type": {"image"}},
			body: body, contentType: contentType, timeout: fileTimeout, maxAnswer: maxAnswer, repeatable: true,
		}, codes)
		if err != nil {
			return err
		}
		var stored struct {
			MediaID string `json:"media_id"`
		}
		if json.Unmarshal(a.body, &stored) != nil || stored.MediaID == "" {
			return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: time.Second}
		}
		mediaID = stored.MediaID
		return nil
	})
	return mediaID, begin.Add(uploadLifetime - uploadMargin), err
}

// pictureForm is the form that the platform wants: one part named media, with a file name whose end tells the type.
func pictureForm(file connectors.File) (body []byte, contentType string, err error) {
	extension := ".jpg"
	switch file.ContentType {
	case "image/png":
		extension = ".png"
	case "image/gif":
		extension = ".gif"
	}
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="media"; filename="picture` + extension + `"`},
		"Content-Type":        {file.ContentType},
	})
	if err != nil {
		return nil, "", fmt.Errorf("making the form: %w", err)
	}
	if _, err := part.Write(file.Data); err != nil {
		return nil, "", fmt.Errorf("making the form: %w", err)
	}
	if err := form.Close(); err != nil {
		return nil, "", fmt.Errorf("making the form: %w", err)
	}
	return buffer.Bytes(), form.FormDataContentType(), nil
}

// HoldFile waits for a turn to have a file in memory; release ends it.
func (c *Client) HoldFile(ctx context.Context) (release func(), err error) {
	select {
	case c.files <- struct{}{}:
		return func() { <-c.files }, nil
	case <-ctx.Done():
		return nil, &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "TooManyFiles", RetryAfter: time.Second, Err: ctx.Err()}
	}
}

// Fetch gets a picture that a customer sent. Only the API's own host is asked: the addresses in a message could point anywhere.
// What is no picture by its own bytes is not taken; a text comes from something before the platform, which may go away.
func (c *Client) Fetch(ctx context.Context, mediaID string) (connectors.File, error) {
	release, err := c.HoldFile(ctx)
	if err != nil {
		return connectors.File{}, err
	}
	defer release()
	var file connectors.File
	err = c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "media", method: http.MethodGet, path: "/cgi-bin/media/get", query: url.Values{"access_token": {token}, "media_id": {mediaID}},
			timeout: fileTimeout, maxAnswer: MaxFile, repeatable: true, binary: true,
		}, codes)
		if err != nil {
			return err
		}
		contentType := http.DetectContentType(a.body)
		switch {
		case strings.HasPrefix(contentType, "text/"):
			return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: retryMinute}
		case !strings.HasPrefix(contentType, "image/"):
			return &connectors.CallError{Class: connectors.ClassPermanent, Reason: "NoPicture"}
		}
		file = connectors.File{ContentType: contentType, Data: a.body}
		return nil
	})
	return file, err
}
