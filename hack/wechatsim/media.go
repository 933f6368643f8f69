package wechatsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	maxMediaSize  = 2 << 20
	maxMediaTotal = 64 << 20
	mediaLifetime = 3 * 24 * time.Hour
	mediaIDLength = 64
	maxUpload     = 16 << 20
	uploadMemory  = 4 << 20
)

var (
	errMediaType = errors.New("only PNG, JPEG and GIF pictures are accepted")
	errMediaSize = errors.New("the picture is larger than 2 MiB or empty")
)

// mediaItem is one picture, of a customer or uploaded by the account.
type mediaItem struct {
	id, contentType string
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

func (m *mediaStore) add(data []byte, now time.Time) (mediaItem, error) {
	if len(data) == 0 || len(data) > maxMediaSize {
		return mediaItem{}, errMediaSize
	}
	contentType := http.DetectContentType(data)
	if contentType != "image/png" && contentType != "image/jpeg" && contentType != "image/gif" {
		return mediaItem{}, errMediaType
	}
	item := mediaItem{
		id: randomText(mediaIDLength), contentType: contentType, data: data, created: now, base: m.base,
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

// find gives a picture that has not expired yet.
func (m *mediaStore) find(id string, now time.Time) (mediaItem, bool) {
	item, ok := m.items[id]
	return item, ok && now.Before(item.created.Add(mediaLifetime))
}

// serveUpload is POST /cgi-bin/media/upload: a multipart part named media; a mini-program may upload pictures only.
func (s *Server) serveUpload(c *call) (answer, error) {
	if kind := c.query.Get("type"); kind != "image" {
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
	item, err := c.account.media.add(data, now)
	switch {
	case errors.Is(err, errMediaSize):
		return answer{}, wxErrorf(45001, "media size out of limit")
	case err != nil:
		return answer{}, wxErrorf(40005, "invalid file type")
	}
	return jsonAnswer(map[string]any{"type": "image", "media_id": item.id, "created_at": item.created.Unix()}), nil
}

// serveMedia is GET /cgi-bin/media/get: the picture itself.
func (s *Server) serveMedia(c *call) (answer, error) {
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	item, ok := c.account.media.find(c.query.Get("media_id"), now)
	if !ok {
		return answer{}, wxErrorf(40007, "invalid media_id")
	}
	return answer{contentType: item.contentType, body: item.data, disposition: `attachment; filename="` + item.fileName() + `"`}, nil
}

func (m mediaItem) fileName() string {
	extension := map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}
	return m.id + extension[m.contentType]
}

// servePicture is what PicUrl and ThumbUrl point to.
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
