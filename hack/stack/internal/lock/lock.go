// Package lock gives a data directory one owner at a time: two servers over the same files would ruin them.
// The kernel drops a lock with its last holder, so a crash never leaves a stale one.
package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a new owner waits for the previous one to finish dying.
const patience = 10 * time.Second

// Take locks the file at path, making it when missing, and keeps it locked until the returned file (and every copy of it
// that a child inherited) is closed.
func Take(ctx context.Context, path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("locking %s: another server uses this data (%w)", path, ctx.Err()), file.Close())
		case <-retry.C:
		}
	}
}
