package wechatsim

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"strconv"
	"sync"
	"time"
)

// idSource numbers messages. Ids follow the clock in nanoseconds: beyond 2^53 as the platform's are, rising, and
// not used again after a restart.
type idSource struct {
	mu   sync.Mutex
	last int64
}

func (s *idSource) next(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last+1, now.UnixNano())
	return s.last
}

func numberText(n int64) string { return strconv.FormatInt(n, 10) }

// randomText gives n characters of the alphabet that tokens and ids of the platform use. crypto/rand does not fail.
func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text := randomBytes(n)
	for i, b := range text {
		text[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(text)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// randomNonce is what the platform uses: up to ten digits.
func randomNonce() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000_000))
	if err != nil {
		return "1000000000"
	}
	return strconv.FormatInt(n.Int64()+1_000_000_000, 10)
}

// randomID is a request id as errmsg carries it: three groups of eight hexadecimal digits.
func randomID() string {
	h := hex.EncodeToString(randomBytes(12))
	return h[:8] + "-" + h[8:16] + "-" + h[16:]
}
