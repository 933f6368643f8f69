package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
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

// Fetch gets a file that a customer sent. Only the API's own host is asked: the addresses in a message could point anywhere.
func (c *Client) Fetch(ctx context.Context, mediaID string) (connectors.File, error) {
	var file connectors.File
	err := c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "media", method: http.MethodGet, path: "/cgi-bin/media/get", query: url.Values{"access_token": {token}, "media_id": {mediaID}},
			timeout: fileTimeout, maxAnswer: MaxFile, repeatable: true, binary: true,
		}, codes)
		if err != nil {
			return err
		}
		file = connectors.File{ContentType: pictureType(a), Data: a.body}
		return nil
	})
	return file, err
}

// pictureType names the type of a file by its bytes; the platform's word counts only where they tell nothing. What
// browsers could run is never what a file is called.
func pictureType(a answer) string {
	detected, _, _ := mime.ParseMediaType(http.DetectContentType(a.body))
	if detected != "application/octet-stream" {
		if detected == "text/html" || detected == "text/xml" {
			return "text/plain"
		}
		return detected
	}
	told, _, err := mime.ParseMediaType(a.contentType)
	switch {
	case err != nil, told == "text/html", told == "text/xml", told == "application/xhtml+xml", told == "image/svg+xml", told == "application/xml":
		return detected
	default:
		return told
	}
}
