package wechat

import (
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// vector is one of the published test vectors; see testdata.
type vector struct {
	ID             string `json:"id"`
	Token          string `json:"token"`
	Timestamp      string `json:"timestamp"`
	Nonce          string `json:"nonce"`
	Signature      string `json:"signature"`
	MsgSignature   string `json:"msg_signature"`
	URLSignature   string `json:"url_signature"`
	EncodingAESKey string `json:"encodingAESKey"`
	ReceiverID     string `json:"receiver_id"`
	Random         string `json:"random16"`
	Plaintext      string `json:"plaintext"`
	Encrypt        string `json:"encrypt"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	for _, name := range []string{"testdata/wechat_vectors.json", "testdata/wechat_encrypt_vectors.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var some []vector
		if err := json.Unmarshal(data, &some); err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	if len(all) != 9 {
		t.Fatalf("there are %d vectors, want S1, S2, E1 to E5, F1 and F2", len(all))
	}
	return all
}

func find(t testing.TB, id string) vector {
	t.Helper()
	for _, v := range vectors(t) {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("no vector %s", id)
	return vector{}
}

func mustKey(t testing.TB, encoded string) *Key {
	t.Helper()
	key, err := ParseKey(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			if v.Signature != "" && !Verify(v.Signature, v.Token, v.Timestamp, v.Nonce) {
				t.Error("signature does not verify")
			}
			if v.URLSignature != "" && !Verify(v.URLSignature, v.Token, v.Timestamp, v.Nonce) {
				t.Error("signature of the address does not verify")
			}
			if v.MsgSignature != "" && !Verify(v.MsgSignature, v.Token, v.Timestamp, v.Nonce, v.Encrypt) {
				t.Error("msg_signature does not verify")
			}
			if v.Encrypt == "" {
				return
			}
			key := mustKey(t, v.EncodingAESKey)
			plain, err := key.Decrypt(v.Encrypt, v.ReceiverID)
			if err != nil || string(plain) != v.Plaintext {
				t.Errorf("Decrypt = %q, %v, want the plaintext", plain, err)
			}
			// With the same random bytes encryption gives the published text: both ways are the platform's own.
			if got := key.Encrypt([16]byte([]byte(v.Random)), []byte(v.Plaintext), v.ReceiverID); got != v.Encrypt {
				t.Errorf("Encrypt = %s, want %s", got, v.Encrypt)
			}
		})
	}
}

func TestSignatureOfAnotherCallIsRefused(t *testing.T) {
	t.Parallel()
	v := find(t, "E1")
	flipped := "1" + v.MsgSignature[1:]
	for name, ok := range map[string]bool{
		"one digit differs":       Verify(flipped, v.Token, v.Timestamp, v.Nonce, v.Encrypt),
		"a second later":          Verify(v.MsgSignature, v.Token, "1714112446", v.Nonce, v.Encrypt),
		"another token":           Verify(v.MsgSignature, "AAAAB", v.Timestamp, v.Nonce, v.Encrypt),
		"another body":            Verify(v.MsgSignature, v.Token, v.Timestamp, v.Nonce, v.Encrypt[1:]),
		"no signature":            Verify("", v.Token, v.Timestamp, v.Nonce, v.Encrypt),
		"the plain signature":     Verify(v.URLSignature, v.Token, v.Timestamp, v.Nonce, v.Encrypt),
		"upper case":              Verify(strings.ToUpper(v.MsgSignature), v.Token, v.Timestamp, v.Nonce, v.Encrypt),
		"a digit more at the end": Verify(v.MsgSignature+"0", v.Token, v.Timestamp, v.Nonce, v.Encrypt),
	} {
		if ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

// sealRaw encrypts a buffer as it is, padding included.
func sealRaw(t testing.TB, encodedKey string, buffer []byte) string {
	t.Helper()
	key := mustKey(t, encodedKey)
	out := make([]byte, len(buffer))
	cipher.NewCBCEncrypter(key.block, key.iv[:]).CryptBlocks(out, buffer)
	return base64.StdEncoding.EncodeToString(out)
}

// plainBuffer is a decrypted buffer of one block of 64 bytes, with the given length field and padding byte.
func plainBuffer(length uint32, pad byte) []byte {
	buffer := make([]byte, 64)
	binary.BigEndian.PutUint32(buffer[16:], length)
	copy(buffer[20:], "hello"+"wx5823bf96d3bd56c7")
	for i := 43; i < 64; i++ {
		buffer[i] = pad
	}
	return buffer
}

func TestBrokenCiphertextsAreRefused(t *testing.T) {
	t.Parallel()
	const encoded, receiver = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
	good := sealRaw(t, encoded, plainBuffer(5, 21))
	raw, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	mixed := plainBuffer(5, 21)
	mixed[50] = 20
	for name, tc := range map[string]struct {
		encrypted, receiver string
		want                error
	}{
		"as it should be":                   {good, receiver, nil},
		"for another account":               {good, "wx5823bf96d3bd56c8", ErrWrongReceiver},
		"for an account with a longer name": {good, receiver + "0", ErrWrongReceiver},
		"cut within a block":                {base64.StdEncoding.EncodeToString(raw[:63]), receiver, ErrCannotDecrypt},
		"cut to a multiple of 16":           {base64.StdEncoding.EncodeToString(raw[:48]), receiver, ErrCannotDecrypt},
		"empty":                             {"", receiver, ErrCannotDecrypt},
		"not base64":                        {"*" + good[1:], receiver, ErrCannotDecrypt},
		"a length beyond the buffer":        {sealRaw(t, encoded, plainBuffer(24, 21)), receiver, ErrCannotDecrypt},
		"the largest length":                {sealRaw(t, encoded, plainBuffer(1<<32-1, 21)), receiver, ErrCannotDecrypt},
		"padding of 0":                      {sealRaw(t, encoded, plainBuffer(5, 0)), receiver, ErrCannotDecrypt},
		"padding of 33":                     {sealRaw(t, encoded, plainBuffer(5, 33)), receiver, ErrCannotDecrypt},
		"padding of different bytes":        {sealRaw(t, encoded, mixed), receiver, ErrCannotDecrypt},
		"nothing but padding":               {sealRaw(t, encoded, []byte(strings.Repeat("\x20", 32))), receiver, ErrCannotDecrypt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, err := mustKey(t, encoded).Decrypt(tc.encrypted, tc.receiver)
			if !errors.Is(err, tc.want) || tc.want == nil && string(plain) != "hello" {
				t.Errorf("Decrypt = %q, %v, want error %v", plain, err, tc.want)
			}
		})
	}
}

func TestPreviousKeyOpensWhatTheCurrentDoesNot(t *testing.T) {
	t.Parallel()
	v := find(t, "E3")
	current, previous := mustKey(t, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"), mustKey(t, v.EncodingAESKey)
	if plain, key, err := (Keys{current, previous}).Decrypt(v.Encrypt, v.ReceiverID); err != nil || key != previous || string(plain) != v.Plaintext {
		t.Errorf("Decrypt = %q, %v, want the plaintext", plain, err)
	}
	if _, _, err := (Keys{current}).Decrypt(v.Encrypt, v.ReceiverID); !errors.Is(err, ErrCannotDecrypt) {
		t.Errorf("with the current key alone: %v, want ErrCannotDecrypt", err)
	}
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	for name, encoded := range map[string]string{
		"too short":     "abc",
		"too long":      strings.Repeat("A", 44),
		"not base64":    strings.Repeat("!", 43),
		"empty":         "",
		"a line break":  strings.Repeat("A", 42) + "\n",
		"inner padding": strings.Repeat("A", 42) + "=",
	} {
		if _, err := ParseKey(encoded); err == nil {
			t.Errorf("%s: accepted", name)
		} else if encoded != "" && strings.Contains(err.Error(), encoded) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Encrypt)
	}
	key := mustKey(f, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
	f.Fuzz(func(t *testing.T, encrypted string) {
		plain, err := key.Decrypt(encrypted, "wx2c2769f8efd9abc2")
		if (err == nil) != (plain != nil) && err != nil {
			t.Errorf("Decrypt = %q, %v", plain, err)
		}
	})
}

func FuzzEncryptRoundTrip(f *testing.F) {
	f.Add([]byte("hello"), "wx2c2769f8efd9abc2")
	f.Add([]byte{}, "")
	key := mustKey(f, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
	f.Fuzz(func(t *testing.T, plain []byte, receiver string) {
		got, err := key.Decrypt(key.Encrypt([16]byte{1, 2, 3}, plain, receiver), receiver)
		if err != nil || string(got) != string(plain) {
			t.Errorf("round trip of %q = %q, %v", plain, got, err)
		}
	})
}
