package desk

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxExportFiles is how many bytes of files are taken out with a conversation.
	maxExportFiles = 512 << 20
	fileErased     = "Erased"
)

// ExportedFile is a file of a conversation that is taken out.
type ExportedFile struct {
	ID          uuid.UUID `json:"id"`
	Cases       []string  `json:"cases,omitempty" nullable:"false" doc:"The after-sales cases of whose evidence it is."`
	ContentType string    `json:"contentType,omitempty"`
	Size        int64     `json:"size,omitempty"`
	SHA256      string    `json:"sha256,omitempty"`
	Path        string    `json:"path,omitempty" doc:"Where it is in the ZIP."`
	Missing     string    `json:"missing,omitempty" enum:"Erased,NotFetchedYet,FileLost,TooMuch" doc:"Why it is not there: it is not kept any more, still comes from the platform, or never came, or the files before it have 512 MiB together."`
}

// exportedFiles are those of the evidence of a conversation's cases, and then those of its messages, the newest first.
func (d *Desk) exportedFiles(ctx context.Context, conversation uuid.UUID, messages []store.Message) ([]ExportedFile, error) {
	queries := d.Store.Queries()
	cases, err := queries.AfterSalesOfConversation(ctx, &conversation)
	if err != nil {
		return nil, fmt.Errorf("reading a conversation's cases: %w", err)
	}
	var ids []uuid.UUID
	of := map[uuid.UUID][]string{}
	for _, row := range cases {
		for _, id := range evidenceFiles(store.CaseView(row)) {
			of[id] = append(of[id], d.nameOf(row.ID))
			ids = append(ids, id)
		}
	}
	for _, m := range slices.Backward(messages) {
		sent, err := filesIn(m)
		if err != nil {
			return nil, err
		}
		ids = append(ids, sent...)
	}
	known, err := queries.MediaFacts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading what is known of files: %w", err)
	}
	files := listFiles(ids, of, known)
	return files, d.digest(ctx, files)
}

// listFiles lists those files, each once, with where they go, or why they do not.
func listFiles(ids []uuid.UUID, cases map[uuid.UUID][]string, known []db.MediaFactsRow) []ExportedFile {
	facts := make(map[uuid.UUID]db.MediaFactsRow, len(known))
	for _, row := range known {
		facts[row.ID] = row
	}
	files, seen, size := []ExportedFile{}, map[uuid.UUID]bool{}, int64(0)
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		row, kept := facts[id]
		file := ExportedFile{ID: id, Cases: cases[id], ContentType: row.ContentType, Size: row.Size}
		switch {
		case !kept:
			file.Missing = fileErased
		case row.State == "fetch":
			file.Missing = "NotFetchedYet"
		case row.State == "failed":
			file.Missing = "FileLost"
		case size+row.Size > maxExportFiles:
			file.Missing = "TooMuch"
		default:
			size += row.Size
			file.Path = "files/" + id.String() + endOf(row.ContentType)
		}
		files = append(files, file)
	}
	return files
}

// digest has Postgres say the SHA-256 of the files that are there.
func (d *Desk) digest(ctx context.Context, files []ExportedFile) error {
	var there []uuid.UUID
	for _, file := range files {
		if file.Path != "" {
			there = append(there, file.ID)
		}
	}
	rows, err := d.Store.Queries().MediaDigests(ctx, there)
	if err != nil {
		return fmt.Errorf("reading the digests of files: %w", err)
	}
	sums := make(map[uuid.UUID]string, len(rows))
	for _, row := range rows {
		sums[row.ID] = hex.EncodeToString(row.Sha256)
	}
	for i := range files {
		file := &files[i]
		if file.SHA256 = sums[file.ID]; file.SHA256 == "" && file.Path != "" { // Since it was looked for.
			file.Path, file.Missing = "", fileErased
		}
	}
	return nil
}

// filesIn are the files that a message holds.
func filesIn(m store.Message) (files []uuid.UUID, err error) {
	var content message.Content
	if err := json.Unmarshal(m.Content, &content); err != nil {
		return nil, fmt.Errorf("decoding a message: %w", err)
	}
	held := []*message.Media{content.Media, content.Thumb}
	if content.Page != nil {
		held = append(held, content.Page.Thumb)
	}
	for _, media := range held {
		if media != nil {
			files = append(files, media.ID)
		}
	}
	return files, nil
}

// endOf is by what the name of a file ends, so that it opens where it is taken to.
func endOf(contentType string) string {
	switch contentType {
	case "image/png":
		return ".png"
	case "image/jpeg":
		return ".jpg"
	case "image/gif":
		return ".gif"
	case "image/webp":
		return ".webp"
	case typeMP4:
		return ".mp4"
	case typeQuickTime:
		return ".mov"
	case typeWebM:
		return ".webm"
	case "audio/mpeg":
		return ".mp3"
	case "audio/amr":
		return ".amr"
	default:
		return ""
	}
}

// pack writes a ZIP a piece at a time: the transcript under its name, the files that it lists, and SHA256SUMS, by which sha256sum -c
// checks all of them. One that is cut short has no end, and nothing opens it.
func (d *Desk) pack(ctx context.Context, into io.Writer, e export) error {
	archive := zip.NewWriter(into)
	add := func(name string, method uint16, content io.Reader) error {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: e.at})
		if err == nil {
			_, err = io.Copy(entry, content)
		}
		if err != nil {
			return fmt.Errorf("packing %s: %w", name, err)
		}
		return nil
	}
	if err := add(e.name+".json", zip.Deflate, bytes.NewReader(e.transcript)); err != nil {
		return err
	}
	var sums strings.Builder
	fmt.Fprintf(&sums, "%x  %s.json\n", e.sum, e.name)
	for _, file := range e.files {
		if file.Path == "" {
			continue
		}
		if err := add(file.Path, zip.Store, d.openFile(ctx, file.ID, file.Size)); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", file.SHA256, file.Path)
	}
	if err := add("SHA256SUMS", zip.Deflate, strings.NewReader(sums.String())); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("ending a ZIP: %w", err)
	}
	return nil
}
