package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// FileToFetch is a customer's file that this replica has leased for fetching.
type FileToFetch = db.MediaClaimRow

// LeaseFiles takes files to fetch; nobody else gets them until the lease ends.
func (s *Store) LeaseFiles(ctx context.Context, channels []string, now, leaseEnds time.Time, most int32) ([]FileToFetch, error) {
	rows, err := s.Queries().MediaClaim(ctx, &leaseEnds, channels, &now, most)
	if err != nil {
		return nil, fmt.Errorf("leasing files to fetch: %w", err)
	}
	return rows, nil
}

// StoreFile keeps a fetched file.
func (s *Store) StoreFile(ctx context.Context, id uuid.UUID, contentType string, data []byte) error {
	if data == nil {
		data = []byte{}
	}
	if err := s.Queries().MediaStored(ctx, data, contentType, id); err != nil {
		return fmt.Errorf("storing a file: %w", err)
	}
	return nil
}

// RetryFile lets a file be fetched again later.
func (s *Store) RetryFile(ctx context.Context, id uuid.UUID, notBefore time.Time, reason string) error {
	if err := s.Queries().MediaRetry(ctx, &notBefore, reason, id); err != nil {
		return fmt.Errorf("putting a file off: %w", err)
	}
	return nil
}

// FailFile gives a file up.
func (s *Store) FailFile(ctx context.Context, id uuid.UUID, reason string) error {
	if err := s.Queries().MediaFailed(ctx, reason, id); err != nil {
		return fmt.Errorf("giving a file up: %w", err)
	}
	return nil
}

// ReadFile returns a stored file of a Channel; false when there is none.
func (s *Store) ReadFile(ctx context.Context, channel string, id uuid.UUID) (contentType string, data []byte, ok bool, err error) {
	row, err := s.Queries().MediaData(ctx, id, channel)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", nil, false, nil
	case err != nil:
		return "", nil, false, fmt.Errorf("reading a file: %w", err)
	}
	return row.ContentType, row.Data, true, nil
}

// UploadedFile returns the platform's id of a file that it still keeps, "" without one.
func (s *Store) UploadedFile(ctx context.Context, channel string, id uuid.UUID, now time.Time) (string, error) {
	uploadID, err := s.Queries().MediaUpload(ctx, id, channel, &now)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("reading a file's upload: %w", err)
	}
	return uploadID, nil
}

// SetUploadedFile remembers the platform's id of a file.
func (s *Store) SetUploadedFile(ctx context.Context, channel string, id uuid.UUID, uploadID string, expires time.Time) error {
	if err := s.Queries().MediaUploaded(ctx, uploadID, &expires, id, channel); err != nil {
		return fmt.Errorf("remembering an upload: %w", err)
	}
	return nil
}

// MayForceToken takes the right to force the refresh of an account's access token; false when somebody took it after the
// given moment.
func (s *Store) MayForceToken(ctx context.Context, account string, now, unlessSince time.Time) (bool, error) {
	rows, err := s.Queries().TokenForce(ctx, account, now, unlessSince)
	if err != nil {
		return false, fmt.Errorf("asking for a token refresh: %w", err)
	}
	return rows == 1, nil
}
