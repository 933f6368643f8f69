package lock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestADirectoryHasOneOwnerAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Take(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Take(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("taking a lock that is held: got %v, want a time-out", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Take(t.Context(), path)
	if err != nil {
		t.Fatalf("taking a lock that was let go: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}
