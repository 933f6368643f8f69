package wechatsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	maxMediaSize  = 2 << 20
	maxVideoSize  = 10 << 20
	maxThumbSize  = 64 << 10
	maxMediaTotal = 64 << 20
	mediaLifetime = 3 * 24 * time.Hour
	mediaIDLength = 64
	maxUpload     = 16 << 20
	uploadMemory  = 4 << 20
)

var (
	errMediaType = errors.New("a picture must be PNG, JPEG or GIF, a voice AMR or MP3, a video MP4, a thumb JPEG")
	errMediaSize = errors.New("a picture or voice must have 1 byte to 2 MiB, a video to 10 MiB, a thumb to 64 KiB")
)

// mediaKind is what the platform takes a medium for.
type mediaKind string

const (
	mediaImage mediaKind = "image"
	mediaVoice mediaKind = "voice"
	mediaVideo mediaKind = "video"
	mediaThumb mediaKind = "thumb"
)

// mediaRule says what a kind of medium may be.
type mediaRule struct {
	maxSize      int
	contentTypes []string
}

func mediaRules() map[mediaKind]mediaRule {
	return map[mediaKind]mediaRule{
		mediaImage: {maxMediaSize, []string{"image/png", "image/jpeg", "image/gif"}},
		mediaVoice: {maxMediaSize, []string{"audio/amr", "audio/mpeg"}},
		mediaVideo: {maxVideoSize, []string{"video/mp4"}},
		mediaThumb: {maxThumbSize, []string{"image/jpeg"}},
	}
}

// uploadable lists what an account may upload: a mini-program has pictures only.
func uploadable(kind Kind) []mediaKind {
	if kind == KindOfficialAccount {
		return []mediaKind{mediaImage, mediaVoice, mediaVideo, mediaThumb}
	}
	return []mediaKind{mediaImage}
}

// contentType looks at the first bytes; the standard library does not know AMR, nor MP3 without a tag.
func contentType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("#!AMR")):
		return "audio/amr"
	case len(data) > 1 && data[0] == 0xFF && data[1]&0xE0 == 0xE0 && data[1]&0x06 == 0x02:
		return "audio/mpeg"
	}
	return http.DetectContentType(data)
}

// silence is a voice of 20 ms in which nobody speaks.
func silence() []byte {
	return append([]byte("#!AMR\n\x3c"), make([]byte, 31)...)
}

// emptyVideo is an MP4 without a track.
func emptyVideo() []byte {
	return []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat")
}

// mediaItem is one medium, of a customer or uploaded by the account.
type mediaItem struct {
	id, contentType string
	kind            mediaKind
	data            []byte
	created         time.Time
	base            string
}

// picturePath serves the picture without a token, as the platform's picture host does.
func (m mediaItem) picturePath(appID string) string { return "/mmbiz/" + appID + "/" + m.id }

func (m mediaItem) pictureURL(appID string) string { return m.base + m.picturePath(appID) }

// mediaStore holds an app's temporary media; the oldest give way when it is full. The account's mutex guards it.
type mediaStore struct {
	items map[string]mediaItem
	order []string
	total int
	base  string // where pictures are served
}

func newMediaStore(base string) mediaStore {
	return mediaStore{items: map[string]mediaItem{}, base: base}
}

func (m *mediaStore) add(kind mediaKind, data []byte, now time.Time) (mediaItem, error) {
	rule := mediaRules()[kind]
	if len(data) == 0 || len(data) > rule.maxSize {
		return mediaItem{}, errMediaSize
	}
	detected := contentType(data)
	if !slices.Contains(rule.contentTypes, detected) {
		return mediaItem{}, errMediaType
	}
	item := mediaItem{
		id: randomText(mediaIDLength), contentType: detected, kind: kind, data: data, created: now, base: m.base,
	}
	m.items[item.id] = item
	m.order = append(m.order, item.id)
	m.total += len(data)
	for m.total > maxMediaTotal {
		m.total -= len(m.items[m.order[0]].data)
		delete(m.items, m.order[0])
		m.order = m.order[1:]
	}
	return item, nil
}

// find gives a medium that has not expired yet.
func (m *mediaStore) find(id string, now time.Time) (mediaItem, bool) {
	item, ok := m.items[id]
	return item, ok && now.Before(item.created.Add(mediaLifetime))
}

// findKind gives a medium of one of the kinds, or answers 40007.
func (m *mediaStore) findKind(id string, now time.Time, kinds ...mediaKind) (mediaItem, error) {
	item, ok := m.find(id, now)
	if !ok || !slices.Contains(kinds, item.kind) {
		return mediaItem{}, wxErrorf(40007, "invalid media_id")
	}
	return item, nil
}

// serveUpload is POST /cgi-bin/media/upload: a multipart part named media.
func (s *Server) serveUpload(c *call) (answer, error) {
	kind := mediaKind(c.query.Get("type"))
	if !slices.Contains(uploadable(c.account.config().Kind), kind) {
		return answer{}, wxErrorf(40004, "invalid media type")
	}
	r := c.request.Clone(c.request.Context())
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	if err := r.ParseMultipartForm(uploadMemory); err != nil {
		return answer{}, wxErrorf(41005, "media data missing")
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	file, _, err := r.FormFile("media")
	if err != nil {
		return answer{}, wxErrorf(41005, "media data missing")
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(file)
	if err != nil {
		return answer{}, fmt.Errorf("reading upload: %w", err)
	}
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if err := c.account.countLocked(opUpload, now); err != nil {
		return answer{}, err
	}
	item, err := c.account.media.add(kind, data, now)
	switch {
	case errors.Is(err, errMediaSize):
		return answer{}, wxErrorf(45001, "media size out of limit")
	case err != nil:
		return answer{}, wxErrorf(40005, "invalid file type")
	}
	name := "media_id"
	if kind == mediaThumb {
		name = "thumb_media_id"
	}
	return jsonAnswer(map[string]any{"type": kind, name: item.id, "created_at": item.created.Unix()}), nil
}

// serveMedia is GET /cgi-bin/media/get: the medium itself, or where to find a video.
func (s *Server) serveMedia(c *call) (answer, error) {
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	item, ok := c.account.media.find(c.query.Get("media_id"), now)
	if !ok {
		return answer{}, wxErrorf(40007, "invalid media_id")
	}
	if err := c.account.countLocked(opMedia, now); err != nil {
		return answer{}, err
	}
	if item.kind == mediaVideo {
		return jsonAnswer(map[string]any{"video_url": item.pictureURL(c.account.app.AppID)}), nil
	}
	return answer{contentType: item.contentType, body: item.data, disposition: `attachment; filename="` + item.fileName() + `"`}, nil
}

func (m mediaItem) fileName() string {
	extension := map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif",
		"audio/amr": ".amr", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
	}
	return m.id + extension[m.contentType]
}

// voiceFormat is how a push names the encoding.
func (m mediaItem) voiceFormat() string {
	if m.contentType == "audio/amr" {
		return "amr"
	}
	return "mp3"
}

// servePicture is what PicUrl, ThumbUrl and video_url point to.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	acc, err := s.account(r.PathValue("appid"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	now := s.now()
	acc.mu.Lock()
	item, ok := acc.media.find(r.PathValue("id"), now)
	acc.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", item.contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(item.data)
}
