package wechatsim

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// MessageType is what a customer sends.
type MessageType string

// The types of a Message.
const (
	TypeText            MessageType = "text"
	TypeImage           MessageType = "image"
	TypeMiniProgramPage MessageType = "miniprogrampage"
	TypeEnter           MessageType = "enter" // the event user_enter_tempsession
	TypeRaw             MessageType = "raw"
)

const (
	maxContent     = 16 << 10
	maxSessionFrom = 1000
	maxRawBody     = 2 << 20
)

// Message is what a customer writes or does.
type Message struct {
	// type is text (default), image, miniprogrampage, enter or raw.
	Type MessageType `json:"type,omitempty"`
	// content of a text.
	Content string `json:"content,omitempty"`
	// image is a picture in base64 (PNG, JPEG or GIF); without it the simulator draws one.
	Image []byte `json:"image,omitempty"`
	// title, appID and pagePath of a miniprogrampage (appID defaults to the app's own).
	Title    string `json:"title,omitempty"`
	AppID    string `json:"appID,omitempty"`
	PagePath string `json:"pagePath,omitempty"`
	// sessionFrom is what the mini-program's button carries.
	SessionFrom string `json:"sessionFrom,omitempty"`
	// msgType and fields make up a raw message: any type, any further elements.
	MsgType string         `json:"msgType,omitempty"`
	Fields  map[string]any `json:"fields,omitempty"`
	// body replaces the whole plain body of a raw message, well-formed or not.
	Body string `json:"body,omitempty"`
	// timestampSkew shifts the push's timestamps, "-11m" for instance.
	TimestampSkew Duration `json:"timestampSkew,omitempty"`
}

// Write lets a customer write, waits until the push has succeeded or been given up, and says how it went.
func (s *Server) Write(ctx context.Context, appID, openID string, m Message) (Push, error) {
	done := make(chan Push, 1)
	if _, err := s.WriteAsync(ctx, appID, openID, m, func(p Push) { done <- p }); err != nil {
		return Push{}, err
	}
	select {
	case push := <-done:
		return push, nil
	case <-ctx.Done():
		return Push{}, problemf(http.StatusRequestTimeout, "the caller went away while the push was under way")
	}
}

// WriteAsync lets a customer write and returns at once; done is called when the push has come to its end.
func (s *Server) WriteAsync(ctx context.Context, appID, openID string, m Message, done func(Push)) (Push, error) {
	setDefault(&m.Type, TypeText)
	acc, err := s.account(appID)
	if err != nil {
		return Push{}, err
	}
	now, real := s.now(), s.opts.Clock()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if acc.app.CallbackURL == "" {
		return Push{}, errNoCallback
	}
	c, err := acc.customerLocked(openID)
	if err != nil {
		return Push{}, err
	}
	line := Entry{At: real, From: FromCustomer, Type: string(m.Type), State: PushSending}
	j := &job{openID: openID, created: real, skew: time.Duration(m.TimestampSkew), done: done}
	if err := acc.describeLocked(m, j, &line, now); err != nil {
		return Push{}, err
	}
	j.id = strconv.FormatInt(s.ids.next(real), 10)
	if m.Type != TypeEnter {
		j.msgID, line.MsgID = j.id, j.id
	}
	j.seq = c.lastSeq + 1
	if err := s.enqueueLocked(ctx, acc, c, j); err != nil {
		return Push{}, err
	}
	acc.appendLocked(c, line)
	acc.stats.change(func(st *Stats) { st.Pushes++ })
	if m.Type == TypeEnter {
		c.ledger.open(acc.app.Kind, triggerEnter, now)
	} else {
		c.ledger.open(acc.app.Kind, triggerMessage, now)
		c.lastExchange = now
	}
	return Push{ID: j.id, MsgID: j.msgID, OpenID: openID, State: PushSending, Attempts: []Attempt{}}, nil
}

// describeLocked fills in what the push carries and what the chat shows.
func (a *account) describeLocked(m Message, j *job, line *Entry, now time.Time) error {
	switch m.Type {
	case TypeText:
		if m.Content == "" || len(m.Content) > maxContent {
			return problemf(http.StatusBadRequest, "content must have 1 to %d bytes", maxContent)
		}
		j.fields = []field{{"MsgType", "text"}, {"Content", m.Content}}
		line.Text = m.Content
	case TypeImage:
		item, err := a.customerPicture(m.Image, j.openID, now)
		if err != nil {
			return err
		}
		j.fields = []field{{"MsgType", "image"}, {"PicUrl", item.pictureURL(a.app.AppID)}, {"MediaId", item.id}}
		line.Text, line.PictureURL = "[图片]", item.picturePath(a.app.AppID)
	case TypeMiniProgramPage:
		item, err := a.customerPicture(m.Image, j.openID, now)
		if err != nil {
			return err
		}
		setDefault(&m.AppID, a.app.AppID)
		j.fields = []field{
			{"MsgType", "miniprogrampage"},
			{"Title", m.Title},
			{"AppId", m.AppID},
			{"PagePath", m.PagePath},
			{"ThumbUrl", item.pictureURL(a.app.AppID)},
			{"ThumbMediaId", item.id},
		}
		line.Text, line.PictureURL = m.Title, item.picturePath(a.app.AppID)
	case TypeEnter:
		if utf8.RuneCountInString(m.SessionFrom) > maxSessionFrom {
			return problemf(http.StatusBadRequest, "sessionFrom must have at most %d characters", maxSessionFrom)
		}
		j.fields = []field{{"MsgType", "event"}, {"Event", "user_enter_tempsession"}, {"SessionFrom", m.SessionFrom}}
		line.Type, line.Text = "event", "进入客服会话"
	case TypeRaw:
		if m.Body == "" && m.MsgType == "" || len(m.Body) > maxRawBody {
			return problemf(http.StatusBadRequest, "a raw message needs msgType or a body of at most %d bytes", maxRawBody)
		}
		j.rawBody = m.Body
		j.fields = append([]field{{"MsgType", m.MsgType}}, anyFields(m.Fields)...)
		line.Text = "[" + m.MsgType + "]"
	default:
		return problemf(http.StatusBadRequest, "type must be text, image, miniprogrampage, enter or raw")
	}
	return nil
}

// customerPicture stores what the customer sends, or a small drawing in a colour of the customer's own.
func (a *account) customerPicture(data []byte, openID string, now time.Time) (mediaItem, error) {
	if len(data) == 0 {
		data = drawPicture(openID)
	}
	item, err := a.media.add(data, now)
	if err != nil {
		return mediaItem{}, problemf(http.StatusBadRequest, "image: %v", err)
	}
	return item, nil
}

func drawPicture(seed string) []byte {
	const size = 96
	sum := uint32(17)
	for _, b := range []byte(seed) {
		sum = sum*31 + uint32(b)
	}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.SetNRGBA(x, y, color.NRGBA{
				R: byte(sum) | 0x60, G: byte(sum>>8) ^ byte(x), B: byte(sum>>16) ^ byte(y), A: 0xFF,
			})
		}
	}
	var b bytes.Buffer
	// Encoding into memory fails only for impossible sizes.
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// Received lists what the account sent to a customer after line n, waiting up to wait for the first such line.
func (s *Server) Received(ctx context.Context, appID, openID string, after int, wait time.Duration) ([]Entry, error) {
	return s.lines(ctx, appID, openID, wait, func(e Entry) bool { return e.N > after })
}

// Transcript lists all lines of a chat after line seq, waiting likewise.
func (s *Server) Transcript(ctx context.Context, appID, openID string, after int, wait time.Duration) ([]Entry, error) {
	return s.lines(ctx, appID, openID, wait, func(e Entry) bool { return e.Seq > after })
}

func (s *Server) lines(
	ctx context.Context, appID, openID string, wait time.Duration, match func(Entry) bool,
) ([]Entry, error) {
	acc, err := s.account(appID)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		acc.mu.Lock()
		c, ok := acc.customers[openID]
		if !ok {
			acc.mu.Unlock()
			return nil, errUnknownCustomer
		}
		found, changed := c.entriesLocked(match), c.changed
		acc.mu.Unlock()
		if len(found) > 0 || wait <= 0 {
			return found, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return found, nil
		case <-ctx.Done():
			return found, nil
		case <-s.stopped:
			return found, nil
		}
	}
}
