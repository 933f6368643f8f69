package desk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxExport is how many messages of a conversation are taken out, the newest.
	maxExport = 10_000
	// exportTimeout bounds the making of a transcript, for which Postgres reads all files, and then the sending, for slow lines.
	exportTimeout = 10 * time.Minute
	// maxExported bounds the memory of transcripts. Each takes half of it while it is made, so that two are at once, and what it has afterwards.
	maxExported = 32 << 20
)

// Transcript is a conversation as it is taken out of the desk.
type Transcript struct {
	ExportedBy   string             `json:"exportedBy"`
	ExportedAt   time.Time          `json:"exportedAt"`
	Conversation store.Conversation `json:"conversation"`
	Messages     []store.Message    `json:"messages" nullable:"false"`
	Truncated    bool               `json:"truncated,omitempty" doc:"There are older messages, which are not here."`
	Files        []ExportedFile     `json:"files" nullable:"false" doc:"The files of the messages, and those of the evidence of the conversation's after-sales cases."`
}

type exportInput struct {
	ID     uuid.UUID `path:"id"`
	Format string    `query:"format" enum:"json,zip" default:"json" doc:"The transcript alone, or a ZIP of it and its files."`
}

type exportOutput struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentDigest      string `header:"Content-Digest" doc:"The SHA-256 of the transcript, as RFC 9530 has it; with the transcript alone."`
	Hash               string `header:"Yingda-SHA256" doc:"The SHA-256 of the transcript, as sha256sum shows it. Those of the files are in the transcript."`
	Body               func(huma.Context)
}

// export is what is taken out.
type export struct {
	name       string
	at         time.Time
	transcript []byte
	sum        [sha256.Size]byte
	files      []ExportedFile
}

func (d *Desk) exportRoutes(api huma.API) {
	transcript := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Transcript](), true, "")
	handle(d, api, huma.Operation{
		OperationID: "export-conversation", Method: http.MethodGet, Path: "/api/conversations/{id}" + exportPath, Tags: []string{"cases"},
		Summary: "A conversation as a file, to be kept as evidence",
		Description: "JSON: who took it out and when, the conversation, its messages, and of each file the SHA-256. As a ZIP it has the same JSON, the files, and " +
			"SHA256SUMS. Who took it out is written down, with the SHA-256 of the JSON, which by those in it is that of all.",
		Responses: map[string]*huma.Response{"200": {Description: "The transcript, or the ZIP", Content: map[string]*huma.MediaType{
			"application/json": {Schema: transcript}, "application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}},
		Errors: []int{404},
	}, d.export)
}

// export takes a conversation out. It is written down before the file leaves.
func (d *Desk) export(ctx context.Context, p *principal, in *exportInput) (*exportOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	share := d.exported.most / 2
	if !visitOf(ctx).holdNow(d.exported, share) {
		return nil, exportsBusy()
	}
	e, err := d.takeOut(ctx, p, c)
	if err != nil {
		return nil, err
	}
	if more := int64(len(e.transcript)) + pieceSize*copies - share; more > 0 && !visitOf(ctx).holdNow(d.exported, min(more, share)) {
		return nil, exportsBusy()
	}
	if err := queries.TranscriptExportAdd(ctx, c.ID, p.agent.Name, e.at, e.sum[:]); err != nil {
		return nil, fmt.Errorf("writing down who took a conversation out: %w", err)
	}
	hash := hex.EncodeToString(e.sum[:])
	d.Logger.Info("A conversation was taken out", "Agent", p.agent.Name, "conversation", c.ID, "sha256", hash, "format", in.Format)
	out := &exportOutput{ContentType: "application/" + in.Format, ContentDisposition: `attachment; filename="` + e.name + "." + in.Format + `"`, Hash: hash}
	if in.Format == "zip" {
		out.Body = d.sendsPacked(ctx, e)
		return out, nil
	}
	out.ContentDigest = "sha-256=:" + base64.StdEncoding.EncodeToString(e.sum[:]) + ":"
	out.Body = func(asked huma.Context) { _, _ = asked.BodyWriter().Write(e.transcript) } // The client may be gone.
	return out, nil
}

func exportsBusy() error {
	busy := problem(http.StatusServiceUnavailable, "Busy", "other conversations are being taken out; try again in a minute")
	return huma.ErrorWithHeaders(busy, http.Header{"Retry-After": {"60"}})
}

// takeOut makes the transcript.
func (d *Desk) takeOut(ctx context.Context, p *principal, c db.Conversation) (e export, err error) {
	rows, err := d.Store.Queries().DeskTranscript(ctx, c.ID, maxExport+1)
	if err != nil {
		return e, fmt.Errorf("reading a transcript: %w", err)
	}
	now := d.Now().UTC()
	out := Transcript{ExportedBy: p.agent.Name, ExportedAt: now, Conversation: store.ConversationView(c)}
	if out.Truncated = len(rows) > maxExport; out.Truncated {
		rows = rows[len(rows)-maxExport:]
	}
	out.Messages = make([]store.Message, len(rows))
	for i, row := range rows {
		out.Messages[i] = messageView(c.ID, db.DeskMessageRow(row), now)
	}
	if out.Files, err = d.exportedFiles(ctx, c.ID, out.Messages); err != nil {
		return e, err
	}
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return e, fmt.Errorf("encoding a transcript: %w", err)
	}
	return export{"conversation-" + c.ID.String(), now, content, sha256.Sum256(content), out.Files}, nil
}

func (d *Desk) sendsPacked(ctx context.Context, e export) func(huma.Context) {
	return func(asked huma.Context) {
		_, w := humago.Unwrap(asked)
		mayTake(w, exportTimeout)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
		defer cancel()
		if err := d.pack(ctx, w, e); err != nil {
			d.Logger.Warn("A conversation was not sent to its end", "error", err)
			panic(http.ErrAbortHandler) //nolint:forbidigo // So the connection ends, and the client knows that something is missing.
		}
	}
}
