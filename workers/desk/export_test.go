package desk

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
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

func TestAConversationIsTakenOutWithItsFilesAndTheirHashes(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	photo := w.sendsPicture(id)
	late := uuid.New()
	w.passes(time.Second)
	w.hears(id, message.Content{Kind: message.KindVideo, Media: &message.Media{ID: late, PlatformID: "m"}})
	if err := w.store.Queries().MediaExpect(t.Context(), late, "shop", "m", noon()); err != nil {
		t.Fatal(err)
	}
	film := video(pieceSize)
	if status, page := d.customer().handsFiles(w.link(d, id), filled(nil), chosen{"video", film}); status != http.StatusOK {
		t.Fatalf("handed in: %d %s", status, page)
	}
	other := w.assigned("after-sales", "xiaomei", "k")
	w.sendsPicture(other)
	path := "/api/conversations/" + id.String() + "/export?format=zip"
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, path, nil)
	got := d.as("laowang").sends(http.MethodGet, path, nil)
	name := "conversation-" + id.String()
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/zip" || got.header.Get("Content-Disposition") != `attachment; filename="`+name+`.zip"` {
		t.Fatalf("status %d, headers %v: %.200s", got.status, got.header, got.body)
	}
	packed := unpacked(t, got.body)
	var transcript Transcript
	if err := json.Unmarshal(packed[name+".json"], &transcript); err != nil {
		t.Fatal(err)
	}
	evidence := transcript.Files[0]
	want := []ExportedFile{
		{ID: evidence.ID, Cases: evidence.Cases, ContentType: "video/mp4", Size: int64(len(film)), SHA256: sumOf(film), Path: "files/" + evidence.ID.String() + ".mp4"},
		{ID: late, Missing: "NotFetchedYet"},
		{ID: photo, ContentType: "image/png", Size: 3, SHA256: sumOf([]byte("png")), Path: "files/" + photo.String() + ".png"},
	}
	if diff := cmp.Diff(want, transcript.Files); diff != "" || len(evidence.Cases) != 1 {
		t.Errorf("files of %d cases (-want +got):\n%s", len(evidence.Cases), diff)
	}
	sums := map[string]string{}
	for file, content := range packed {
		if file != "SHA256SUMS" {
			sums[file] = sumOf(content)
		}
	}
	said := map[string]string{}
	for line := range strings.Lines(string(packed["SHA256SUMS"])) {
		sum, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		said[file] = sum
	}
	if diff := cmp.Diff(sums, said); diff != "" || len(sums) != 3 {
		t.Errorf("SHA256SUMS of %d files (-want +got):\n%s", len(sums), diff)
	}
	// Who took it out is kept with the hash of the transcript, which holds those of the files.
	var kept []byte
	if err := w.store.Pool().QueryRow(t.Context(), "SELECT sha256 FROM transcript_export WHERE conversation_id = $1 AND agent = 'laowang'", id).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if sum := sumOf(packed[name+".json"]); hex.EncodeToString(kept) != sum || got.header.Get("Yingda-SHA256") != sum {
		t.Errorf("kept is %x, said %s, want %s", kept, got.header.Get("Yingda-SHA256"), sum)
	}
}

func TestConversationsThatAreTakenOutLeaveMemoryToOthers(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	photo := w.sendsPicture(id)
	// A share is less than what this transcript needs.
	d.exported = newBudget(2 * pieceSize * copies)
	share := d.exported.most / 2
	path := "/api/conversations/" + id.String()
	for format, others := range map[string]int64{"json": 2 * share, "zip": share} {
		if !d.exported.TryAcquire(others) {
			t.Fatal("the budget is in use")
		}
		got := d.as("xiaomei").sends(http.MethodGet, path+"/export?format="+format, nil)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d, headers %v when others have the memory, want 503 with Retry-After", format, got.status, got.header)
		}
		if shown := d.as("xiaomei").sends(http.MethodGet, "/api/media/"+photo.String()+"?conversation="+id.String(), nil); shown.status != http.StatusOK {
			t.Errorf("%s: a picture meanwhile: status %d", format, shown.status)
		}
		d.exported.Release(others)
		eventually(t, "it is taken out once the memory is free", func() bool {
			return d.as("xiaomei").sends(http.MethodGet, path+"/export?format="+format, nil).status == http.StatusOK
		})
		eventually(t, "the memory comes back", func() bool {
			back := d.exported.TryAcquire(d.exported.most)
			if back {
				d.exported.Release(d.exported.most)
			}
			return back
		})
	}
}

func TestAnExportMayTakeLongerThanOtherRequests(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	deadlines := map[string]time.Time{}
	handler := d.middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadlines[r.URL.Path], _ = r.Context().Deadline()
	}))
	const conversation = "/api/conversations/1"
	for _, path := range []string{conversation + "/export", conversation} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		request.Header = d.as("xiaomei").headers
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
	if export, other := deadlines[conversation+"/export"], deadlines[conversation]; other.IsZero() || !export.After(other) {
		t.Errorf("an export ends at %s, another request that came later at %s", export, other)
	}
}

func sumOf(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

// unpacked is what is in a ZIP, by name.
func unpacked(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range archive.File {
		reader, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[entry.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestWhatIsNotTakenOutOfAConversationIsNamedWithWhy(t *testing.T) {
	t.Parallel()
	ids := []uuid.UUID{{1}, {2}, {3}, {4}, {5}, {1}}
	known := []db.MediaFactsRow{
		{ID: ids[0], State: "stored", ContentType: "video/mp4", Size: maxExportFiles - 10},
		{ID: ids[1], State: "stored", ContentType: "image/png", Size: 11},
		{ID: ids[2], State: "failed"},
		{ID: ids[3], State: "stored", ContentType: "text/html", Size: 10},
	}
	slices.Reverse(known)
	want := []ExportedFile{
		{ID: ids[0], Cases: []string{"after-sales~1"}, ContentType: "video/mp4", Size: maxExportFiles - 10, Path: "files/" + ids[0].String() + ".mp4"},
		{ID: ids[1], ContentType: "image/png", Size: 11, Missing: "TooMuch"},
		{ID: ids[2], Missing: "FileLost"},
		{ID: ids[3], ContentType: "text/html", Size: 10, Path: "files/" + ids[3].String()},
		{ID: ids[4], Missing: "Erased"},
	}
	if diff := cmp.Diff(want, listFiles(ids, map[uuid.UUID][]string{ids[0]: {"after-sales~1"}}, known)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
