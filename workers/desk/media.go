package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxUpload is the largest picture that WeChat takes.
	maxUpload = 2 << 20
	// maxUnsent bounds what an agent has uploaded and not sent.
	maxUnsent = 50 << 20
	// maxShown and maxTaken bound the memory of all files that are on their way to browsers, and from them.
	maxShown = 32 << 20
	maxTaken = 32 << 20
	// pieceSize is how much of a file is read from Postgres at once.
	pieceSize = 512 << 10
	// slowest is how many bytes a second a line takes at least.
	slowest = 64 << 10
	// copies of a file, or of a piece of one, are in memory at once: one of the driver, one of ours.
	copies = 2
)

// Types of videos.
const (
	typeMP4       = "video/mp4"
	typeQuickTime = "video/quicktime"
	typeWebM      = "video/webm"
)

// FileView is a file.
type FileView struct {
	ID          uuid.UUID `json:"id"`
	ContentType string    `json:"contentType"`
	Size        int       `json:"size"`
}

type uploadInput struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

type uploadOutput struct{ Body FileView }

type fileInput struct {
	ID           uuid.UUID `path:"id"`
	Conversation uuid.UUID `query:"conversation" required:"true" doc:"A conversation of which a message holds the file."`
}

type fileOutput struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	CacheControl       string `header:"Cache-Control"`
	ContentPolicy      string `header:"Content-Security-Policy"`
	ETag               string `header:"ETag"`
	Body               func(huma.Context)
}

func (d *Desk) mediaRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "upload", Method: http.MethodPost, Path: mediaPath, Summary: "Upload a PNG, JPEG or GIF of at most 2 MiB, to be sent in a message",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxUpload, BodyReadTimeout: answerTimeout, Errors: []int{409, 413, 415},
	}, d.upload)
	handle(d, api, huma.Operation{
		OperationID: "file", Method: http.MethodGet, Path: mediaPath + "/{id}", Summary: "A file of a conversation", Responses: fileResponses(), Errors: []int{404, 409, 410},
	}, d.file)
}

func (d *Desk) upload(ctx context.Context, p *principal, in *uploadInput) (*uploadOutput, error) {
	contentType := http.DetectContentType(in.RawBody)
	switch contentType {
	case "image/png", "image/jpeg", "image/gif":
	default:
		return nil, refusal(http.StatusUnsupportedMediaType, "NoPicture", "only PNG, JPEG and GIF pictures can be sent")
	}
	id := uuid.New()
	added, err := d.Store.Queries().UploadAdd(ctx, db.UploadAddParams{
		ID: id, Owner: ownerOf(p), ContentType: contentType, Data: in.RawBody, At: d.Now().UTC(), MostBytes: maxUnsent,
	})
	if err != nil {
		return nil, fmt.Errorf("keeping a picture: %w", err)
	}
	if added == 0 {
		return nil, refusal(http.StatusConflict, "TooManyUnsent", "you have uploaded too many pictures that you did not send")
	}
	return &uploadOutput{FileView{id, contentType, len(in.RawBody)}}, nil
}

// ownerOf marks a file as uploaded by an agent; no platform's id looks like it.
func ownerOf(p *principal) string { return "agent/" + p.agent.Name }

// bindFile lets an agent send only files that they have uploaded.
func bindFile(ctx context.Context, u *store.Unit, p *principal, channel string, id uuid.UUID) (*message.Media, error) {
	contentType, err := u.UploadBind(ctx, channel, u.Now, id, ownerOf(p))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, refusal(http.StatusUnprocessableEntity, "NoSuchPicture", "you have uploaded no such picture: POST /api/media first")
	}
	if err != nil {
		return nil, fmt.Errorf("giving a picture to its channel: %w", err)
	}
	return &message.Media{ID: id, ContentType: contentType}, nil
}

func encode(content message.Content) (json.RawMessage, error) {
	encoded, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encoding content: %w", err)
	}
	return encoded, nil
}

func (d *Desk) file(ctx context.Context, p *principal, in *fileInput) (*fileOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.Conversation) })
	if err != nil {
		return nil, err
	}
	row, err := queries.MediaOfConversation(ctx, in.ID, c.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, refusal(http.StatusNotFound, "NoSuchFile", "no message of the conversation holds this file")
	}
	if err != nil {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	return d.sendFile(ctx, in.ID, heldFile(row))
}

// heldFile is what is known of a file before its bytes are read.
type heldFile struct {
	State       string
	ContentType string
	Size        int64
}

// sendFile sends a file that the agent may see.
func (d *Desk) sendFile(ctx context.Context, id uuid.UUID, row heldFile) (*fileOutput, error) {
	switch row.State {
	case "fetch":
		return nil, refusal(http.StatusConflict, "NotFetchedYet", "the file is still being fetched from the platform; try again")
	case "failed":
		return nil, refusal(http.StatusGone, "FileLost", "the file could not be fetched from the platform")
	}
	// Before the bytes are read, and until they are written.
	if err := visitOf(ctx).hold(ctx, d.shown, min(row.Size, pieceSize)*copies); err != nil {
		return nil, err
	}
	out := &fileOutput{
		ContentType: row.ContentType, ContentDisposition: "inline", CacheControl: "private, max-age=86400, immutable",
		ContentPolicy: "default-src 'none'; sandbox", ETag: `"` + id.String() + `"`,
		Body: func(asked huma.Context) {
			r, w := humago.Unwrap(asked)
			// A player takes a video as slowly as it is watched, and a slow line as it can.
			timeout := answerTimeout + time.Duration(row.Size/slowest)*time.Second
			mayTake(w, timeout)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
			defer cancel()
			http.ServeContent(w, r, "", time.Time{}, d.openFile(ctx, id, row.Size))
		},
	}
	if !slices.Contains(shownTypes(), row.ContentType) {
		// What a browser might run or draw as a document is only there to be saved.
		out.ContentType, out.ContentDisposition = "application/octet-stream", "attachment"
	}
	return out, nil
}

// shownTypes are those of files that browsers show or play where they are.
func shownTypes() []string {
	return []string{
		"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", typeMP4, typeQuickTime, typeWebM, "audio/mpeg", "audio/wave",
	}
}

// fileResponses are the answers of operations that send a file: all of it or, as players ask for it, a part.
func fileResponses() map[string]*huma.Response {
	content := map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	return map[string]*huma.Response{
		"200": {Description: "The file", Content: content},
		"206": {Description: "The part of the file that Range names", Content: content},
		"304": {Description: "The client has the file already"},
		"416": {Description: "The file has no such part"},
	}
}

// openFile reads a file that is stored, of which the bytes never change, a piece at a time: a video takes no more memory than a photo.
func (d *Desk) openFile(ctx context.Context, id uuid.UUID, size int64) *io.SectionReader {
	return io.NewSectionReader(&pieces{read: func(from int64) ([]byte, error) {
		piece, err := d.Store.Queries().MediaRead(ctx, int32(from)+1, pieceSize, id) //nolint:gosec // No file has 2 GiB.
		if err != nil {
			d.Logger.Warn("A file was not read to its end", "error", err)
			return nil, fmt.Errorf("reading a file: %w", err)
		}
		return piece, nil
	}}, 0, size)
}

// pieces reads what it is asked for out of the last piece, or the one that begins there.
type pieces struct {
	read func(from int64) ([]byte, error)
	from int64
	last []byte
}

// ReadAt implements io.ReaderAt, for one reader.
func (p *pieces) ReadAt(into []byte, at int64) (n int, err error) {
	for n < len(into) {
		from := at + int64(n)
		if from < p.from || from >= p.from+int64(len(p.last)) {
			if p.last, err = p.read(from); err != nil {
				return n, err
			}
			if p.from = from; len(p.last) == 0 {
				return n, io.EOF
			}
		}
		n += copy(into[n:], p.last[from-p.from:])
	}
	return n, nil
}
