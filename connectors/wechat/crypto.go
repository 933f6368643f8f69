package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // The platform's signature is SHA-1; there is no other.
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

const (
	encodedKeyLength = 43
	keyLength        = 32
	randomLength     = 16
	lengthLength     = 4
	// padBlock is 32, not AES's 16: the platform pads to the key's length.
	padBlock = 32
)

// The ways in which an encrypted text can be wrong.
var (
	ErrCannotDecrypt = errors.New("the message cannot be decrypted")
	ErrWrongReceiver = errors.New("the message is encrypted for another account")
)

// Sign is the platform's signature over the parts, the token among them: signature takes token, timestamp and nonce;
// msg_signature the encrypted text too.
func Sign(parts ...string) string {
	sorted := slices.Sorted(slices.Values(parts))
	h := sha1.New() //nolint:gosec // See the import.
	for _, part := range sorted {
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Verify compares a signature in constant time.
func Verify(signature string, parts ...string) bool {
	return subtle.ConstantTimeCompare([]byte(Sign(parts...)), []byte(signature)) == 1
}

// Key is a decoded EncodingAESKey.
type Key struct {
	block cipher.Block
	iv    [aes.BlockSize]byte
}

// ParseKey decodes an EncodingAESKey of the platform's console.
func ParseKey(encoded string) (*Key, error) {
	if len(encoded) != encodedKeyLength {
		return nil, fmt.Errorf("an EncodingAESKey has %d characters, this one has %d", encodedKeyLength, len(encoded))
	}
	// Not Strict(): 43 characters carry 258 bits, and consoles hand out keys whose last two are not zero.
	raw, err := base64.StdEncoding.DecodeString(encoded + "=")
	if err != nil || len(raw) != keyLength {
		return nil, errors.New("an EncodingAESKey holds only letters and digits")
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, errors.New("an EncodingAESKey decodes to 32 bytes")
	}
	return &Key{block: block, iv: [aes.BlockSize]byte(raw[:aes.BlockSize])}, nil
}

// Encrypt seals a message for the account receiverID. random is 16 random bytes.
func (k *Key) Encrypt(random [randomLength]byte, plain []byte, receiverID string) string {
	length := randomLength + lengthLength + len(plain) + len(receiverID)
	pad := padBlock - length%padBlock
	buffer := make([]byte, 0, length+pad)
	buffer = append(buffer, random[:]...)
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(plain))) //nolint:gosec // Bodies are bounded to 1 MiB.
	buffer = append(buffer, plain...)
	buffer = append(buffer, receiverID...)
	for range pad {
		buffer = append(buffer, byte(pad))
	}
	cipher.NewCBCEncrypter(k.block, k.iv[:]).CryptBlocks(buffer, buffer)
	return base64.StdEncoding.EncodeToString(buffer)
}

// Decrypt opens a sealed message and checks that it is for the account receiverID.
func (k *Key) Decrypt(encrypted, receiverID string) ([]byte, error) {
	buffer, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(buffer) == 0 || len(buffer)%padBlock != 0 {
		return nil, ErrCannotDecrypt
	}
	cipher.NewCBCDecrypter(k.block, k.iv[:]).CryptBlocks(buffer, buffer)
	content, ok := unpad(buffer)
	if !ok || len(content) < randomLength+lengthLength {
		return nil, ErrCannotDecrypt
	}
	rest := content[randomLength+lengthLength:]
	length := uint64(binary.BigEndian.Uint32(content[randomLength:]))
	if length > uint64(len(rest)) {
		return nil, ErrCannotDecrypt
	}
	if subtle.ConstantTimeCompare(rest[length:], []byte(receiverID)) != 1 {
		return nil, ErrWrongReceiver
	}
	return rest[:length], nil
}

// unpad checks every byte of the padding without telling by its time which one is wrong.
func unpad(buffer []byte) ([]byte, bool) {
	pad := int(buffer[len(buffer)-1])
	if pad < 1 || pad > padBlock {
		return nil, false
	}
	wrong := byte(0)
	for _, b := range buffer[len(buffer)-pad:] {
		wrong |= b ^ byte(pad)
	}
	return buffer[:len(buffer)-pad], wrong == 0
}

// Keys are the keys that may open a message, the current one first.
type Keys []*Key

// Decrypt tries each key: after a change of the key in the console, messages sealed with the one before still come. It returns
// the key that opened the message, by which an answer is sealed.
func (keys Keys) Decrypt(encrypted, receiverID string) ([]byte, *Key, error) {
	err := ErrCannotDecrypt
	for _, key := range keys {
		var plain []byte
		if plain, err = key.Decrypt(encrypted, receiverID); err == nil || errors.Is(err, ErrWrongReceiver) {
			return plain, key, err
		}
	}
	return nil, nil, err
}
