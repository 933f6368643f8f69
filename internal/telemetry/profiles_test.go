package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/yingda-dev/yingda/internal/telemetry"
)

func TestProfilesAreServedByTheirOwnHandlerAlone(t *testing.T) {
	for path, want := range map[string]int{
		"/debug/pprof/": http.StatusOK, "/debug/pprof/heap": http.StatusOK, "/debug/pprof/cmdline": http.StatusOK, "/metrics": http.StatusNotFound,
	} {
		answer := httptest.NewRecorder()
		telemetry.Profiles().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("%s: %d, want %d", path, answer.Code, want)
		}
	}
}
