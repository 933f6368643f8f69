package connectors

import (
	"strings"

	"github.com/google/uuid"
)

// StableID is an id that every replica and every repetition makes of the same parts.
func StableID(parts ...string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("yingda.dev/"+strings.Join(parts, "\x00")))
}

// CleanText is text as JSON and Postgres can keep it: valid UTF-8 without NUL.
func CleanText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "")
}
