package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// slowServer is an API server that serves Yingda's kinds from the n-th time that it is asked.
type slowServer struct {
	serves int64
	asked  atomic.Int64
	// health is asked at each vain try, as the kubelet would; what it answered is kept.
	health          string
	alive, notReady atomic.Int64
}

func (s *slowServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/apis/yingda.dev/v1alpha1" {
		http.NotFound(w, r)
		return
	}
	if s.asked.Add(1) < s.serves {
		s.look("/healthz", http.StatusOK, &s.alive)
		s.look("/readyz", http.StatusServiceUnavailable, &s.notReady)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"yingda.dev/v1alpha1","resources":[]}`)
}

func (s *slowServer) look(path string, want int, count *atomic.Int64) {
	response, err := http.Get("http://" + s.health + path)
	if err != nil {
		return
	}
	response.Body.Close()
	if response.StatusCode == want {
		count.Add(1)
	}
}

func TestOperatorWaitsForTheAPIServerAliveAndNotReady(t *testing.T) {
	t.Parallel()
	server := &slowServer{serves: 4, health: freeAddress(t)}
	api := httptest.NewServer(server)
	t.Cleanup(api.Close)
	await := serverWait{logger: slog.New(slog.DiscardHandler), healthAddress: server.health, patience: time.Minute}
	if err := await.run(t.Context(), &rest.Config{Host: api.URL}); err != nil {
		t.Fatal(err)
	}
	if server.alive.Load() == 0 || server.notReady.Load() == 0 {
		t.Errorf("it was seen alive %d times and not ready %d times, want some", server.alive.Load(), server.notReady.Load())
	}
	// The manager listens there next.
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", server.health)
	if err != nil {
		t.Fatalf("the health server lives on: %v", err)
	}
	listener.Close()
}

func TestOperatorGivesUpOnAnAPIServerThatStaysAway(t *testing.T) {
	t.Parallel()
	await := serverWait{logger: slog.New(slog.DiscardHandler), patience: 2 * time.Second}
	if err := await.run(t.Context(), &rest.Config{Host: "http://" + freeAddress(t)}); err == nil {
		t.Error("no error")
	}
}

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
