package keys

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrKey says that the key that the Brand names cannot be used; no repetition mends it.
var ErrKey = errors.New("the brand's keys cannot be opened")

// keyBytes is the length of a key that wraps, which makes it one of AES-256.
const keyBytes = 32

// Wrapping are the files with the key by which the keyset is wrapped. The zero value leaves it as it is.
type Wrapping struct {
	// KeyFile holds the key, 32 bytes in base64.
	KeyFile string
	// PreviousKeyFile holds the key of before, by which the keyset may still be wrapped; it need not exist.
	PreviousKeyFile string
}

// wrapping are the keys of Wrapping, nil where there are none.
type wrapping struct{ key, previous tink.AEAD }

func (w wrapping) wraps() bool { return w.key != nil }

func (w Wrapping) open() (opened wrapping, err error) {
	if w.KeyFile == "" {
		return opened, nil
	}
	if opened.key, err = readKey(w.KeyFile, "key"); errors.Is(err, fs.ErrNotExist) {
		return opened, fmt.Errorf(`%w: the Secret that spec.privacy.encryptionKeySecretRef names has no "key": put 32 random bytes in base64 there (openssl rand -base64 32)`, ErrKey)
	} else if err != nil {
		return opened, err
	}
	if w.PreviousKeyFile == "" {
		return opened, nil
	}
	if opened.previous, err = readKey(w.PreviousKeyFile, "previousKey"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return opened, err
	}
	return opened, nil
}

func readKey(path, name string) (tink.AEAD, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key that wraps the keyset: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("%w: %q in the Secret that spec.privacy.encryptionKeySecretRef names is not 32 bytes in base64: make one with openssl rand -base64 32", ErrKey, name)
	}
	primitive, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("using the key that wraps the keyset: %w", err)
	}
	return primitive, nil
}
