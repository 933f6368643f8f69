package desk

import (
	"errors"
	"io"
	"net/http"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	// codecPath is where Temporal's web UI and command line have payloads decoded, by the protocol of remote codecs.
	codecPath = "/api/codec"
	// maxPayloads is more than the largest event of a history, in base64.
	maxPayloads = 4 << 20
	// codecCopies of them are in memory at once: sent, parsed, decrypted, written.
	codecCopies = 4
)

// codecRoutes show admins what Temporal knows only encrypted. Nobody needs to have anything encrypted here.
func (d *Desk) codecRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST "+codecPath+"/decode", d.decode)
	mux.HandleFunc("POST "+codecPath+"/encode", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "DecodesOnly", "this codec decodes and encodes nothing: start and signal workflows at the desk"))
	})
}

// decode answers with the payloads of the request as they were before they were encrypted. Who had how many is logged.
func (d *Desk) decode(w http.ResponseWriter, r *http.Request) {
	p := principalOf(r.Context())
	if p.agent.Spec.Role != yingdav1.RoleAdmin {
		d.Logger.Warn("Refused to decode payloads of Temporal", "agent", p.agent.Name)
		writeProblem(w, problem(http.StatusForbidden, "AdminsOnly", "only agents of the role Admin may read what Temporal keeps"))
		return
	}
	if err := visitOf(r.Context()).hold(r.Context(), d.taken, maxPayloads*codecCopies); err != nil {
		d.refuse(w, r, err)
		return
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayloads))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		writeProblem(w, problem(http.StatusRequestEntityTooLarge, "TooManyPayloads", "ask for fewer payloads at once: a request may have 4 MiB"))
		return
	}
	if err != nil {
		writeProblem(w, d.unexpected(r.Context(), "decode", err))
		return
	}
	var payloads commonpb.Payloads
	if err := protojson.Unmarshal(content, &payloads); err != nil {
		writeProblem(w, problem(http.StatusBadRequest, "BadPayloads", "the body is not Temporal's Payloads in JSON"))
		return
	}
	decoded, err := d.Payloads.Decode(payloads.GetPayloads())
	if err != nil {
		writeProblem(w, problem(http.StatusUnprocessableEntity, "Undecipherable", "a payload was not encrypted by this brand's keys"))
		return
	}
	answer, err := protojson.Marshal(&commonpb.Payloads{Payloads: decoded})
	if err != nil {
		writeProblem(w, d.unexpected(r.Context(), "decode", err))
		return
	}
	d.Logger.Info("Decoded payloads of Temporal", "agent", p.agent.Name, "payloads", len(decoded))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // The client may be gone.
}

// letsIn says whether the request is one of Temporal's web UI to the codec: of the one other site that may ask, for this alone.
// It adds what browsers want to hear.
func (d *Desk) letsIn(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, codecPath+"/") {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if d.TemporalUI == "" || r.Header.Get("Origin") != d.TemporalUI {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", d.TemporalUI)
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	return true
}

// answerPreflight tells a browser what Temporal's web UI may send.
func answerPreflight(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
