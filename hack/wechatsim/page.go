package wechatsim

import (
	_ "embed"
	"net/http"
)

//go:embed page.html
var pageHTML []byte

// routePage serves the one page, and the pictures that it and the product show.
func (s *Server) routePage() {
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(pageHTML)
	})
	s.mux.HandleFunc("GET /mmbiz/{appid}/{id}", s.servePicture)
}
