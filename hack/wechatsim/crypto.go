package wechatsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	encodingAESKeyLength = 43
	randomLength         = 16
	lengthLength         = 4
	// padBlock is the platform's PKCS#7 block: 32, though AES itself works in blocks of 16.
	padBlock = 32
)

var (
	errKeyFormat   = errors.New("encodingAESKey must be 43 letters or digits")
	errCiphertext  = errors.New("ciphertext is not a whole number of blocks")
	errPadding     = errors.New("padding is not PKCS#7 with a block of 32")
	errMessageSize = errors.New("message length exceeds the plaintext")
	errReceiver    = errors.New("message is for another app")
)

// sign is the platform's signature over any number of parts: token, timestamp, nonce and, for
// msg_signature, the Encrypt text.
func sign(parts ...string) string {
	sorted := slices.Sorted(slices.Values(parts))
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return hex.EncodeToString(sum[:])
}

// decodeKey turns the 43 characters of the console into the 32 bytes of the key. The last character carries
// two bits too many, which may be set: the strict decoder would refuse valid keys.
func decodeKey(encoded string) ([]byte, error) {
	if len(encoded) != encodingAESKeyLength || strings.ContainsFunc(encoded, notAlphanumeric) {
		return nil, errKeyFormat
	}
	key, err := base64.StdEncoding.DecodeString(encoded + "=")
	if err != nil {
		return nil, fmt.Errorf("decoding encodingAESKey: %w", err)
	}
	return key, nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// envelope is what the ciphertext holds: random bytes, the message, and the app that it is for.
type envelope struct {
	random     []byte
	message    []byte
	receiverID string
}

// seal encrypts an envelope; with the same random bytes it gives the same text.
func seal(key []byte, e envelope) (string, error) {
	if len(e.random) != randomLength {
		return "", fmt.Errorf("sealing: %d random bytes, want %d", len(e.random), randomLength)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	size := randomLength + lengthLength + len(e.message) + len(e.receiverID)
	pad := padBlock - size%padBlock
	full := make([]byte, 0, size+pad)
	full = append(full, e.random...)
	full = binary.BigEndian.AppendUint32(full, uint32(len(e.message)))
	full = append(full, e.message...)
	full = append(full, e.receiverID...)
	full = append(full, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(full, full)
	return base64.StdEncoding.EncodeToString(full), nil
}

// open decrypts what seal made; whether the receiver is the right one is for the caller to say.
func open(key []byte, encrypted string) (envelope, error) {
	full, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil {
		return envelope{}, fmt.Errorf("decoding ciphertext: %w", err)
	}
	if len(full) == 0 || len(full)%padBlock != 0 {
		return envelope{}, errCiphertext
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return envelope{}, fmt.Errorf("opening: %w", err)
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(full, full)
	pad := int(full[len(full)-1])
	if pad < 1 || pad > padBlock || !bytes.Equal(full[len(full)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return envelope{}, errPadding
	}
	full = full[:len(full)-pad]
	if len(full) < randomLength+lengthLength {
		return envelope{}, errMessageSize
	}
	rest := full[randomLength+lengthLength:]
	size := binary.BigEndian.Uint32(full[randomLength:])
	if uint64(size) > uint64(len(rest)) {
		return envelope{}, errMessageSize
	}
	return envelope{random: full[:randomLength], message: rest[:size], receiverID: string(rest[size:])}, nil
}
