package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

func TestAConversationIsTakenOutWithItsHashAndWhoDidItIsKept(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("领口<开线>了"))
	path := "/api/conversations/" + id.String() + "/export"
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path, nil)
	got := d.as("laowang").sends(http.MethodGet, path, nil)
	if got.status != http.StatusOK {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	var file Transcript
	if err := json.Unmarshal(got.body, &file); err != nil {
		t.Fatal(err)
	}
	if file.ExportedBy != "laowang" || !file.ExportedAt.Equal(noon()) || file.Conversation.ID != id || len(file.Messages) != 1 {
		t.Errorf("the file holds %+v", file)
	}
	sum := sha256.Sum256(got.body)
	if hash := hex.EncodeToString(sum[:]); got.header.Get("Yingda-SHA256") != hash || got.header.Get("Content-Disposition") != `attachment; filename="conversation-`+id.String()+`.json"` {
		t.Errorf("headers %v, want the hash %s", got.header, hash)
	}
	var agent string
	var at time.Time
	var kept []byte
	err := w.store.Pool().QueryRow(t.Context(), "SELECT agent, exported_at, sha256 FROM transcript_export WHERE conversation_id = $1", id).Scan(&agent, &at, &kept)
	if err != nil || agent != "laowang" || !at.Equal(noon()) || string(kept) != string(sum[:]) {
		t.Errorf("kept: %s, %s, %x, %v", agent, at, kept, err)
	}
}
