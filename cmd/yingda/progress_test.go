package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/yingda-dev/yingda/internal/wait"
)

func TestWhatTakesLongIsToldWhileItIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type answer struct {
			words string
			err   error
		}
		answers := make(chan answer, 1)
		look := func(context.Context) (string, error) {
			a := <-answers
			return a.words, a.err
		}
		var p progress
		stop := p.follow(t.Context(), slog.New(slog.DiscardHandler), look)
		says := func(when string, a answer, want string) {
			t.Helper()
			answers <- a
			wait.For(t.Context(), progressInterval)
			synctest.Wait()
			if got := p.doing(); got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		says("under way", answer{words: "the index of a large table (40 %)"}, "the index of a large table (40 %)")
		says("further", answer{words: "the index of a large table (50 %)"}, "the index of a large table (50 %)")
		says("with nobody to tell", answer{err: errors.New("refused")}, "")
		says("told again", answer{words: "the index of a large table (60 %)"}, "the index of a large table (60 %)")
		stop()
		if got := p.doing(); got != "" {
			t.Errorf("done: %q", got)
		}
	})
}
