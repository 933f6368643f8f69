package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// file is a photo, or the beginning of a video of which the rest is kept in pieces.
type file struct {
	// field is where it was chosen.
	field       string
	contentType string
	data        []byte
	pieces      uuid.UUID
	size        int64
	sum         [sha256.Size]byte
}

// keepPiece keeps the next piece of a video, so that no more than one is in memory; its data is overwritten by the next.
type keepPiece func(video uuid.UUID, number int32, data []byte) error

// fileIntake is what becomes of files while a form is read.
type fileIntake struct {
	// wanted says whether any are, with the action that stands before them, or none for an application. Others are skipped.
	wanted bool
	action aftersales.Action
	keep   keepPiece
	memory share
}

// errBusy says that others' files have all the memory. Nobody waits for it: those who send slowly would keep those out who do not.
var errBusy = errors.New("too many files are on their way")

// share is what one form holds of the memory of all.
type share struct {
	of   *budget
	held int64
}

func (s *share) take(amount int64) error {
	if !s.of.TryAcquire(amount) {
		return errBusy
	}
	s.held += amount
	return nil
}

func (s *share) giveBack(amount int64) {
	s.of.Release(amount)
	s.held -= amount
}

func (s *share) giveBackAll() { s.giveBack(s.held) }

// notKeptError says that a piece could not be kept, which is nothing that the customer did.
type notKeptError struct{ error }

func (e *notKeptError) Unwrap() error { return e.error }

func (f *filledForm) takePhoto(begin []byte, whole io.Reader, memory *share) error {
	contentType := http.DetectContentType(begin)
	switch {
	case !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, contentType):
		return wrongFile("photos", "只能上传 JPEG、PNG、GIF、WebP 格式的照片。")
	case len(f.photos) == maxPhotos:
		return wrongFile("photos", fmt.Sprintf("最多上传 %d 张照片。", maxPhotos))
	}
	if err := memory.take(maxUpload); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(whole, maxUpload+1))
	if err != nil {
		return fmt.Errorf("reading a photo: %w", err)
	}
	if len(data) > maxUpload {
		memory.giveBack(maxUpload)
		return wrongFile("photos", "照片过大,每张最多 2 MB。")
	}
	memory.giveBack(maxUpload - int64(len(data)))
	f.photos = append(f.photos, file{field: "photos", contentType: contentType, data: data, size: int64(len(data)), sum: sha256.Sum256(data)})
	return nil
}

// takeVideo has what comes after the first piece kept while it comes.
func (f *filledForm) takeVideo(begin []byte, whole io.Reader, keep keepPiece) error {
	contentType, ok := videoType(begin)
	switch {
	case f.video != nil:
		return wrongFile("video", "最多上传 1 段视频。")
	case !ok:
		return wrongFile("video", "只能上传 MP4、MOV、WebM 格式的视频。")
	}
	f.video = &file{field: "video", contentType: contentType, pieces: uuid.New()}
	sum := sha256.New()
	whole = io.TeeReader(whole, sum)
	var err error
	if f.video.data, err = fill(make([]byte, pieceSize), whole); err != nil {
		return err
	}
	f.video.size = int64(len(f.video.data))
	room := make([]byte, pieceSize)
	for number := int32(1); ; number++ {
		piece, err := fill(room, whole)
		if err != nil {
			return err
		}
		if len(piece) == 0 {
			sum.Sum(f.video.sum[:0])
			return nil
		}
		if f.video.size += int64(len(piece)); f.video.size > maxVideo {
			return wrongFile("video", "视频过大,最多 20 MB。")
		}
		if err := keep(f.video.pieces, number, piece); err != nil {
			return &notKeptError{err}
		}
	}
}

// fill reads as much as there is room for; what it returns is empty at the end.
func fill(room []byte, of io.Reader) ([]byte, error) {
	n, err := io.ReadFull(of, room)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	return room[:n], nil
}

// videoType tells by its beginning whether a file is a video that browsers play, whatever its name or its sender says.
func videoType(begin []byte) (contentType string, ok bool) {
	if len(begin) >= 12 && string(begin[4:12]) == "ftypqt  " {
		return typeQuickTime, true
	}
	switch http.DetectContentType(begin) {
	case typeMP4:
		return typeMP4, true
	case typeWebM: // So far it may be anything of Matroska's.
		return typeWebM, bytes.Contains(begin[:min(len(begin), 64)], []byte("webm"))
	default:
		return "", false
	}
}

// keepFiles keeps what came with a form, once for each form. Who calls it has locked the customer's conversation before.
func keepFiles(ctx context.Context, u *store.Unit, from formlink.Customer, form uuid.UUID, files []file) ([]aftersales.Evidence, error) {
	if len(files) == 0 {
		return nil, nil
	}
	kept, ids, size := make([]aftersales.Evidence, len(files)), make([]uuid.UUID, len(files)), int64(0)
	for i, f := range files {
		ids[i] = uuid.NewSHA1(form, []byte{byte(i)})
		kept[i].Media = ids[i]
		size += f.size
	}
	if err := u.FormsLock(ctx, from.Channel, from.ExternalID); err != nil {
		return nil, fmt.Errorf("locking a customer's files: %w", err)
	}
	before, err := u.FormBytes(ctx, from.Channel, from.ExternalID, u.Now.Add(-keptWithin), ids)
	if err != nil {
		return nil, fmt.Errorf("adding up a customer's files: %w", err)
	}
	if before+size > maxKept {
		return nil, wrongFile(files[len(files)-1].field, "24 小时内最多上传 64 MB 照片和视频,请明天再传,或在聊天中联系客服。")
	}
	for i, f := range files {
		err := u.FormFileAdd(ctx, db.FormFileAddParams{
			ID: ids[i], Channel: from.Channel, ExternalID: from.ExternalID, ContentType: f.contentType, Data: f.data, Pieces: f.pieces, At: u.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("keeping a file: %w", err)
		}
	}
	return kept, nil
}

// wantedFiles says which files are wanted now: those of an application until it has opened the case, and evidence where the case takes it.
func (d *Desk) wantedFiles(ctx context.Context, link formlink.Link) (*fileIntake, error) {
	files := &fileIntake{wanted: true, keep: d.keepPiece(ctx), memory: share{of: d.formed}}
	row, err := d.Store.Queries().CaseGet(ctx, d.caseOfLink(link))
	if errors.Is(err, pgx.ErrNoRows) {
		return files, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a form's case: %w", err)
	}
	inside, err := store.AfterSalesOf(store.CaseView(row))
	if err != nil {
		return nil, fmt.Errorf("reading a form's case: %w", err)
	}
	files.action = aftersales.ActionAddEvidence
	files.wanted = slices.Contains(inside.Allowed(aftersales.ByCustomer), files.action)
	return files, nil
}

// keepPiece keeps pieces of a video while it comes, which takes longer than a request.
func (d *Desk) keepPiece(ctx context.Context) keepPiece {
	return func(video uuid.UUID, number int32, data []byte) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		if err := d.Store.Queries().PieceAdd(ctx, video, number, data, d.Now().UTC()); err != nil {
			return fmt.Errorf("keeping a piece of a video: %w", err)
		}
		return nil
	}
}

// dropPieces lets go of the pieces of a video, which was put together or refused; what is left of them goes with the upkeep.
func (d *Desk) dropPieces(ctx context.Context, video *file) {
	if video == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := d.Store.Queries().PiecesDelete(ctx, video.pieces); err != nil {
		d.Logger.Warn("Cannot delete the pieces of a video yet", "error", err)
	}
}
