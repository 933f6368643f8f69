package wechatsim

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"slices"
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
	TypeVoice           MessageType = "voice"
	TypeVideo           MessageType = "video"
	TypeShortVideo      MessageType = "shortvideo"
	TypeLocation        MessageType = "location"
	TypeLink            MessageType = "link"
	TypeEvent           MessageType = "event"
)

// messageTypes lists what the customers of a kind of account can send.
func messageTypes(kind Kind) []MessageType {
	if kind == KindOfficialAccount {
		return []MessageType{
			TypeText, TypeImage, TypeVoice, TypeVideo, TypeShortVideo, TypeLocation, TypeLink, TypeEvent, TypeRaw,
		}
	}
	return []MessageType{TypeText, TypeImage, TypeMiniProgramPage, TypeEnter, TypeRaw}
}

const (
	maxContent     = 16 << 10
	maxSessionFrom = 1000
	maxRawBody     = 2 << 20
)

// Message is what a customer writes or does.
type Message struct {
	// type is text (default), image or raw; of a mini-program also miniprogrampage and enter; of an official account also
	// voice, video, shortvideo, location, link and event.
	Type MessageType `json:"type,omitempty"`
	// content of a text.
	Content string `json:"content,omitempty"`
	// image is a picture in base64 (PNG, JPEG or GIF); without it the simulator draws one.
	Image []byte `json:"image,omitempty"`
	// media is a voice (AMR or MP3) or a video (MP4) in base64; without it the simulator makes one.
	Media []byte `json:"media,omitempty"`
	// recognition is what speech recognition understood of a voice; without it the push has no such element.
	Recognition string `json:"recognition,omitempty"`
	// menuID makes a text the tap on an item of a msgmenu.
	MenuID string `json:"menuID,omitempty"`
	// location of a location, or of the event LOCATION.
	Location Location `json:"location,omitzero"`
	// title, description and url of a link.
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"`
	// event is the name of an event as the platform writes it, eventKey its key; fields holds further elements.
	Event    string `json:"event,omitempty"`
	EventKey string `json:"eventKey,omitempty"`
	// scene of the QR code of subscribe or SCAN, which then carries a Ticket.
	Scene string `json:"scene,omitempty"`
	// subscribeScene is what user/info will say about a subscribe (default ADD_SCENE_QR_CODE with a scene, else ADD_SCENE_SEARCH).
	SubscribeScene string `json:"subscribeScene,omitempty"`
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

// Location is where a customer is.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	// scale and label of a message, precision of an event.
	Scale     int64   `json:"scale,omitempty"`
	Label     string  `json:"label,omitempty"`
	Precision float64 `json:"precision,omitempty"`
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
	if err := c.checkFollows(acc.app.Kind, m); err != nil {
		return Push{}, err
	}
	line := Entry{At: real, From: FromCustomer, Type: string(m.Type), State: PushSending}
	j := &job{openID: openID, kind: acc.app.Kind, created: real, skew: time.Duration(m.TimestampSkew), done: done}
	if err := acc.describeLocked(m, j, &line, now); err != nil {
		return Push{}, err
	}
	j.id = strconv.FormatInt(s.ids.next(real), 10)
	if !j.event {
		j.msgID, line.MsgID = j.id, j.id
	}
	j.seq = c.lastSeq + 1
	if err := s.enqueueLocked(ctx, acc, c, j); err != nil {
		return Push{}, err
	}
	acc.appendLocked(c, line)
	acc.stats.change(func(st *Stats) { st.Pushes++ })
	acc.followLocked(c, m, real)
	c.ledger.open(acc.app, j.opens, now)
	if !j.event {
		c.lastExchange = now
	}
	return Push{ID: j.id, MsgID: j.msgID, OpenID: openID, State: PushSending, Attempts: []Attempt{}}, nil
}

// describeLocked fills in what the push carries and what the chat shows.
func (a *account) describeLocked(m Message, j *job, line *Entry, now time.Time) error {
	if types := messageTypes(a.app.Kind); !slices.Contains(types, m.Type) {
		return problemf(http.StatusBadRequest, "type must be one of %v for a %s", types, a.app.Kind)
	}
	j.opens = triggerMessage
	switch m.Type {
	case TypeText:
		if m.Content == "" || len(m.Content) > maxContent {
			return problemf(http.StatusBadRequest, "content must have 1 to %d bytes", maxContent)
		}
		j.fields = []field{{"MsgType", "text"}, {"Content", m.Content}}
		if m.MenuID != "" {
			j.fields = append(j.fields, field{"bizmsgmenuid", m.MenuID})
			j.opens = triggerTap
		}
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
		j.event, j.opens = true, triggerEnter
		line.Type, line.Text = "event", "进入客服会话"
	case TypeRaw:
		if m.Body == "" && m.MsgType == "" || len(m.Body) > maxRawBody {
			return problemf(http.StatusBadRequest, "a raw message needs msgType or a body of at most %d bytes", maxRawBody)
		}
		j.rawBody = m.Body
		j.fields = append([]field{{"MsgType", m.MsgType}}, anyFields(m.Fields)...)
		line.Text = "[" + m.MsgType + "]"
	case TypeEvent:
		return describeEvent(m, j, line)
	default:
		return a.describeAccountLocked(m, j, line, now)
	}
	return nil
}

// describeAccountLocked knows the messages that only an official account gets.
func (a *account) describeAccountLocked(m Message, j *job, line *Entry, now time.Time) error {
	j.fields = []field{{"MsgType", string(m.Type)}}
	add := func(name string, value any) { j.fields = append(j.fields, field{name, value}) }
	switch m.Type {
	case TypeVoice:
		setDefaultBytes(&m.Media, silence())
		item, err := a.media.add(mediaVoice, m.Media, now)
		if err != nil {
			return problemf(http.StatusBadRequest, "media: %v", err)
		}
		add("MediaId", item.id)
		add("Format", item.voiceFormat())
		if m.Recognition != "" {
			add("Recognition", m.Recognition)
		}
		line.Text = "[语音] " + m.Recognition
	case TypeVideo, TypeShortVideo:
		setDefaultBytes(&m.Media, emptyVideo())
		item, err := a.media.add(mediaVideo, m.Media, now)
		if err != nil {
			return problemf(http.StatusBadRequest, "media: %v", err)
		}
		thumb, err := a.customerPicture(m.Image, j.openID, now)
		if err != nil {
			return err
		}
		add("MediaId", item.id)
		add("ThumbMediaId", thumb.id)
		line.Text, line.PictureURL = "[视频]", thumb.picturePath(a.app.AppID)
	case TypeLocation:
		setDefault(&m.Location.Scale, 15)
		add("Location_X", m.Location.Latitude)
		add("Location_Y", m.Location.Longitude)
		add("Scale", m.Location.Scale)
		add("Label", m.Location.Label)
		line.Text = "[位置] " + m.Location.Label
	default: // a link: the caller knows the other types
		add("Title", m.Title)
		add("Description", m.Description)
		add("Url", m.URL)
		line.Text = m.Title + "\n" + m.Description + "\n" + m.URL
	}
	return nil
}

func setDefaultBytes(value *[]byte, fallback []byte) {
	if len(*value) == 0 {
		*value = fallback
	}
}

// customerPicture stores what the customer sends, or a small drawing in a colour of the customer's own.
func (a *account) customerPicture(data []byte, openID string, now time.Time) (mediaItem, error) {
	if len(data) == 0 {
		data = drawPicture(openID)
	}
	item, err := a.media.add(mediaImage, data, now)
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
