package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// build names this very binary: two builds of one version may do different things.
func build() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this binary: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading this binary: %w", err)
	}
	defer file.Close() //nolint:errcheck // It was only read.
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading this binary: %w", err)
	}
	return version + "-" + hex.EncodeToString(sum.Sum(nil)[:6]), nil
}
