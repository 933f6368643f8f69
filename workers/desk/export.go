package desk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// maxExport is how many messages of a conversation are taken out, the newest.
const maxExport = 10_000

// Transcript is a conversation as it is taken out of the desk.
type Transcript struct {
	ExportedBy   string             `json:"exportedBy"`
	ExportedAt   time.Time          `json:"exportedAt"`
	Conversation store.Conversation `json:"conversation"`
	Messages     []store.Message    `json:"messages" nullable:"false"`
	Truncated    bool               `json:"truncated,omitempty" doc:"There are older messages, which are not here."`
}

type exportOutput struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentDigest      string `header:"Content-Digest" doc:"The SHA-256 of the file, as RFC 9530 has it."`
	Hash               string `header:"Yingda-SHA256" doc:"The same as sha256sum shows it."`
	Body               []byte
}

func (d *Desk) exportRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "export-conversation", Method: http.MethodGet, Path: "/api/conversations/{id}/export", Tags: []string{"cases"},
		Summary:     "A conversation as a file, to be kept as evidence",
		Description: "JSON: who took it out and when, the conversation, and its messages. Who took it out is written down, with the file's SHA-256.",
		Errors:      []int{404},
	}, d.export)
}

// export takes a conversation out. It is written down before the file leaves.
func (d *Desk) export(ctx context.Context, p *principal, in *conversationInput) (*exportOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	rows, err := queries.DeskTranscript(ctx, c.ID, maxExport+1)
	if err != nil {
		return nil, fmt.Errorf("reading a transcript: %w", err)
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
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding a transcript: %w", err)
	}
	sum := sha256.Sum256(content)
	if err := queries.TranscriptExportAdd(ctx, c.ID, p.agent.Name, now, sum[:]); err != nil {
		return nil, fmt.Errorf("writing down who took a conversation out: %w", err)
	}
	hash := hex.EncodeToString(sum[:])
	d.Logger.Info("A conversation was taken out", "Agent", p.agent.Name, "conversation", c.ID, "sha256", hash)
	return &exportOutput{
		ContentType: "application/json", ContentDisposition: `attachment; filename="conversation-` + c.ID.String() + `.json"`,
		ContentDigest: "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":", Hash: hash, Body: content,
	}, nil
}
