package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/yingda-dev/yingda/connectors/wechat"
)

const vectorsFile = "connectors/wechat/testdata/wechat_vectors.json"

// vector is an example that Tencent has published.
type vector struct {
	ID           string `json:"id"`
	Token        string `json:"token"`
	Key          string `json:"encodingAESKey"`
	Receiver     string `json:"receiver_id"`
	Timestamp    string `json:"timestamp"`
	Nonce        string `json:"nonce"`
	Encrypt      string `json:"encrypt"`
	MsgSignature string `json:"msg_signature"`
	Plaintext    string `json:"plaintext"`
}

// question is what crypto.js is asked.
type question struct {
	Op        string `json:"op"`
	Key       string `json:"key"`
	Token     string `json:"token"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Nonce     string `json:"nonce"`
	Message   string `json:"message"`
	Encrypted string `json:"encrypted"`
}

// opened is what a peer decrypted.
type opened struct {
	Message string `json:"message"`
	ID      string `json:"id"`
}

// cryptos encrypts, decrypts and signs, both ways.
func cryptos(ctx context.Context, r *runner) error {
	r.section("Encryption and signatures", "Ours is connectors/wechat. Messages of every length from 1 to 100 bytes, so that every padding occurs, and Chinese ones.")
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		return fmt.Errorf("reading the vectors: %w", err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		return fmt.Errorf("reading the vectors: %w", err)
	}
	for _, name := range []string{"wechat-crypto", "@wecom/crypto", "node-easywechat"} {
		p, err := r.start(ctx, "crypto.js", name, nil)
		if err != nil {
			return err
		}
		c := crypto{p}
		r.try(name, nil, "decrypts and signs what Tencent has published as we do", func() error { return c.published(vectors) })
		r.try(name, nil, "decrypts what we encrypt", c.decrypts)
		r.try(name, nil, "encrypts what we decrypt", c.encrypts)
		r.try(name, nil, "signs as we do", c.signs)
		p.stop()
	}
	return nil
}

// crypto is a peer that encrypts.
type crypto struct{ *peer }

func (c crypto) published(vectors []vector) error {
	for _, v := range vectors {
		if v.Encrypt == "" {
			continue
		}
		key, err := wechat.ParseKey(v.Key)
		if err != nil {
			return fmt.Errorf("%s: %w", v.ID, err)
		}
		ours, err := key.Decrypt(v.Encrypt, v.Receiver)
		if err != nil {
			return fmt.Errorf("%s: %w", v.ID, err)
		}
		q := question{Key: v.Key, Token: v.Token, ID: v.Receiver, Timestamp: v.Timestamp, Nonce: v.Nonce, Encrypted: v.Encrypt}
		theirs, err := c.open(q)
		signature, signErr := c.sign(q)
		if err := either(
			err, signErr, same(v.ID, theirs, opened{v.Plaintext, v.Receiver}), same(v.ID, string(ours), v.Plaintext),
			same("their signature of "+v.ID, signature, v.MsgSignature),
			same("our signature of "+v.ID, wechat.Sign(v.Token, v.Timestamp, v.Nonce, v.Encrypt), v.MsgSignature),
		); err != nil {
			return err
		}
	}
	return nil
}

func (c crypto) open(q question) (opened, error) {
	var o opened
	q.Op = "decrypt"
	return o, c.ask(q, &o)
}

func (c crypto) sign(q question) (signature string, err error) {
	q.Op = "sign"
	return signature, c.ask(q, &signature)
}

// samples are questions with messages of all lengths, for two keys, one of which has bits to spare at its end.
func samples() []question {
	var all []question
	for _, key := range []string{"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		for n := range 100 {
			for _, message := range []string{strings.Repeat("x", n+1), "<xml><Content><![CDATA[" + strings.Repeat("退款", n) + "🙂]]></Content></xml>"} {
				all = append(all, question{Key: key, Token: "spamtest", ID: "wx2c2769f8efd9abc2", Timestamp: strconv.Itoa(1714112445 + n), Nonce: strconv.Itoa(n), Message: message})
			}
		}
	}
	return all
}

func (c crypto) decrypts() error {
	for _, q := range samples() {
		key, err := wechat.ParseKey(q.Key)
		if err != nil {
			return err
		}
		var random [16]byte
		_, _ = rand.Read(random[:]) // It never fails.
		q.Encrypted = key.Encrypt(random, []byte(q.Message), q.ID)
		theirs, err := c.open(q)
		if err := either(err, same("what they read", theirs, opened{q.Message, q.ID})); err != nil {
			return err
		}
	}
	return nil
}

func (c crypto) encrypts() error {
	for _, q := range samples() {
		key, err := wechat.ParseKey(q.Key)
		if err != nil {
			return err
		}
		q.Op = "encrypt"
		var encrypted string
		if err := c.ask(q, &encrypted); err != nil {
			return err
		}
		ours, err := key.Decrypt(encrypted, q.ID)
		if err := either(err, same("what we read", string(ours), q.Message)); err != nil {
			return err
		}
	}
	return nil
}

func (c crypto) signs() error {
	for _, q := range samples() {
		q.Encrypted = q.Message
		signature, err := c.sign(q)
		if err := either(err, same("the signature", signature, wechat.Sign(q.Token, q.Timestamp, q.Nonce, q.Encrypted))); err != nil {
			return err
		}
	}
	return nil
}
