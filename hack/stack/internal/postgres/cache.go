package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yingda-dev/yingda/hack/stack/internal/lock"
)

// initdbCached puts a copy of a cluster made before by this version of the server into dir, making it the first time, and
// returns its password. Test runs start a cluster each, and copying one takes a fraction of making one.
func (c *cluster) initdbCached(ctx context.Context, dir, cache string) (password string, err error) {
	entry := filepath.Join(cache, versionOf(c.binaries))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", fmt.Errorf("making the cache of clusters: %w", err)
	}
	held, err := lock.Take(ctx, filepath.Join(cache, ".lock"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, held.Close()) }()

	content, err := os.ReadFile(filepath.Join(entry, "password"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.fillCache(dir, entry)
	case err != nil:
		return "", fmt.Errorf("reading the cached cluster's password: %w", err)
	}
	if err := copyTree(filepath.Join(entry, "cluster"), dir); err != nil {
		return "", err
	}
	return string(content), c.account.ownAll(dir)
}

// fillCache makes a cluster in dir and keeps a copy of it, complete or not at all.
func (c *cluster) fillCache(dir, entry string) (string, error) {
	password := rand.Text()
	if err := c.initdb(dir, password); err != nil {
		return "", err
	}
	fresh := entry + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", fmt.Errorf("removing an unfinished cache entry: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return "", fmt.Errorf("making a cache entry: %w", err)
	}
	if err := copyTree(dir, filepath.Join(fresh, "cluster")); err != nil {
		return "", err
	}
	if err := writeSecret(filepath.Join(fresh, "password"), password); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, entry); err != nil {
		return "", fmt.Errorf("placing a cache entry: %w", err)
	}
	return password, nil
}

// copyTree copies plain files and directories with their modes: a fresh cluster has nothing else.
func copyTree(from, to string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.Mkdir(target, info.Mode().Perm())
		}
		return copyFile(path, target, info.Mode().Perm())
	})
	if err != nil {
		return fmt.Errorf("copying a cluster: %w", err)
	}
	return nil
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
