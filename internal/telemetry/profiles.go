package telemetry

import (
	"net/http"
	"net/http/pprof" // It registers with the default mux as well, which nothing serves.
)

// Profiles serves /debug/pprof/. It has an address of its own, and none unless somebody asks for one: a profile shows what is
// in memory, messages included, and taking one costs time.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
