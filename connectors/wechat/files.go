package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
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

// FileKind is what the platform takes a file for.
type FileKind string

// The kinds of files.
const (
	FileImage FileKind = "image"
	FileVoice FileKind = "voice"
	FileVideo FileKind = "video"
	// FileThumb is the picture of a card, a video or a piece of music.
	FileThumb FileKind = "thumb"
)

// Upload stores a file at the platform and returns its id, and until when the id may be used.
func (c *Client) Upload(ctx context.Context, kind FileKind, file connectors.File) (mediaID string, expires time.Time, err error) {
	body, contentType, err := fileForm(file)
	if err != nil {
		return "", time.Time{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "CannotEncode", Err: err}
	}
	begin := c.clock()
	err = c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "upload", method: http.MethodPost, path: "/cgi-bin/media/upload", query: url.Values{"access_token": {token}, "type": {string(kind)}},
			body: body, contentType: contentType, timeout: fileTimeout, maxAnswer: maxAnswer, repeatable: true,
		}, codes)
		if err != nil {
			return err
		}
		var stored struct {
			MediaID string `json:"media_id"`
			// ThumbMediaID is what the platform calls it for a thumb.
			ThumbMediaID string `json:"thumb_media_id"`
		}
		if json.Unmarshal(a.body, &stored) != nil || stored.MediaID == "" && stored.ThumbMediaID == "" {
			return &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: time.Second}
		}
		mediaID = cmp.Or(stored.MediaID, stored.ThumbMediaID)
		return nil
	})
	return mediaID, begin.Add(uploadLifetime - uploadMargin), err
}

// fileForm is the form that the platform wants: one part named media, with a file name whose end tells the type.
func fileForm(file connectors.File) (body []byte, contentType string, err error) {
	name := "picture.jpg"
	switch file.ContentType {
	case "image/png":
		name = "picture.png"
	case "image/gif":
		name = "picture.gif"
	case contentTypeAMR:
		name = "voice.amr"
	case "audio/mpeg":
		name = "voice.mp3"
	case "video/mp4":
		name = "video.mp4"
	}
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="media"; filename="` + name + `"`},
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

// contentTypeAMR is the type of voice messages.
const contentTypeAMR = "audio/amr"

// typeOf tells what a file is by its own bytes.
func typeOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("#!AMR")):
		return contentTypeAMR
	case bytes.HasPrefix(bytes.TrimPrefix(data, []byte{2}), []byte("#!SILK")):
		return "audio/silk"
	default:
		return http.DetectContentType(data)
	}
}

// Fetch gets a picture, a voice message or a video that a customer sent. Only the platform's own hosts are asked: the addresses in
// a message could point anywhere, and so could the one by which the platform may answer for a video. What is none of them by
// its own bytes is not taken; a text comes from something before the platform, which may go away.
func (c *Client) Fetch(ctx context.Context, mediaID string) (connectors.File, error) {
	release, err := c.HoldFile(ctx)
	if err != nil {
		return connectors.File{}, err
	}
	defer release()
	var data []byte
	err = c.withToken(ctx, func(ctx context.Context, token string) error {
		a, err := c.do(ctx, request{
			name: "media", method: http.MethodGet, path: "/cgi-bin/media/get", query: url.Values{"access_token": {token}, "media_id": {mediaID}},
			timeout: fileTimeout, maxAnswer: MaxFile, repeatable: true, binary: true,
		}, codes)
		data = a.body
		return err
	})
	if err != nil {
		return connectors.File{}, err
	}
	if address := videoAddress(data); address != "" {
		if data, err = c.fetchVideo(ctx, address); err != nil {
			return connectors.File{}, err
		}
	}
	return fileOf(data)
}

func fileOf(data []byte) (connectors.File, error) {
	contentType := typeOf(data)
	switch family, _, _ := strings.Cut(contentType, "/"); family {
	case "image", "audio", "video":
		return connectors.File{ContentType: contentType, Data: data}, nil
	case "text":
		return connectors.File{}, &connectors.CallError{Class: connectors.ClassRetryLater, Reason: "UnreadableAnswer", RetryAfter: retryMinute}
	default:
		return connectors.File{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "UnknownFileType"}
	}
}

// fetchVideo gets a video from where the platform says that it is. No token goes there.
func (c *Client) fetchVideo(ctx context.Context, address string) ([]byte, error) {
	if !c.isPlatforms(address) {
		return nil, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "KeptElsewhere"}
	}
	a, err := c.do(ctx, request{
		name: "video", method: http.MethodGet, address: address, timeout: fileTimeout, maxAnswer: MaxFile, repeatable: true, binary: true,
	}, codes)
	return a.body, err
}

// videoHosts are the domains of the platform's own hosts, of which the addresses of videos are.
func videoHosts() []string { return []string{".weixin.qq.com", ".tc.qq.com"} }

// isPlatforms says whether an address is at one of the platform's own hosts: the API's, or one of the domains above on the usual port.
func (c *Client) isPlatforms(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.User != nil || at.Scheme != "https" && at.Scheme != "http" {
		return false
	}
	if home, err := url.Parse(c.account.BaseURL); err == nil && at.Scheme == home.Scheme && at.Host == home.Host {
		return true
	}
	return at.Port() == "" && slices.ContainsFunc(videoHosts(), func(domain string) bool { return strings.HasSuffix(at.Host, domain) })
}

// videoAddress is where a video is that the platform answers with instead of with the video, "" for everything else.
func videoAddress(body []byte) string {
	var answer struct {
		VideoURL string `json:"video_url"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.VideoURL
}
