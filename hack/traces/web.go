package traces

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

const (
	listOnPage  = 200
	defaultList = 100
	maxList     = 5000
)

//go:embed page.html
var pageText string

// web shows a Store.
type web struct {
	store *Store
	page  *template.Template
}

// NewHandler returns the pages and the API of a store:
//
//	GET /                                       the newest traces
//	GET /traces/{id}                            one trace as a waterfall
//	GET /api/traces?name=&since=&limit=         the newest traces whose root's name holds a text, since a time (RFC 3339)
//	GET /api/traces/{id}                        one trace with its spans
func NewHandler(store *Store) http.Handler {
	w := &web{store: store, page: template.Must(template.New("page").Funcs(template.FuncMap{"ms": formatMs}).Parse(pageText))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.list)
	mux.HandleFunc("GET /traces/{id}", w.waterfall)
	mux.HandleFunc("GET /api/traces", w.apiList)
	mux.HandleFunc("GET /api/traces/{id}", w.apiTrace)
	return mux
}

func (w *web) apiList(rw http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r, defaultList)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(rw, map[string]any{"traces": w.store.List(q)})
}

func (w *web) apiTrace(rw http.ResponseWriter, r *http.Request) {
	if t, ok := w.find(rw, r); ok {
		writeJSON(rw, t)
	}
}

func (w *web) list(rw http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r, listOnPage)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.show(rw, "list", struct {
		Name   string
		Traces []Summary
	}{q.Name, w.store.List(q)})
}

func (w *web) waterfall(rw http.ResponseWriter, r *http.Request) {
	if t, ok := w.find(rw, r); ok {
		w.show(rw, "trace", struct {
			Trace

			Rows []row
		}{t, rowsOf(t)})
	}
}

func (w *web) find(rw http.ResponseWriter, r *http.Request) (Trace, bool) {
	id := r.PathValue("id")
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != idBytes {
		http.Error(rw, "a trace's id has 32 hexadecimal digits", http.StatusBadRequest)
		return Trace{}, false
	}
	t, ok := w.store.Get(id)
	if !ok {
		http.Error(rw, "this trace is not kept, or has not arrived yet", http.StatusNotFound)
	}
	return t, ok
}

func queryOf(r *http.Request, limit int) (Query, error) {
	values := r.URL.Query()
	q := Query{Name: values.Get("name"), Limit: limit}
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return Query{}, fmt.Errorf("limit is a number from 1 to %d", maxList)
		}
		q.Limit = min(n, maxList)
	}
	if text := values.Get("since"); text != "" {
		since, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return Query{}, fmt.Errorf("since is a time as in RFC 3339: %w", err)
		}
		q.Since = since
	}
	return q, nil
}

func writeJSON(rw http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = rw.Write(text) // The client may be gone.
}

func (w *web) show(rw http.ResponseWriter, name string, data any) {
	var page bytes.Buffer
	if err := w.page.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	// The bars need styles of their own; names of spans come from outside and are text only.
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_, _ = page.WriteTo(rw) // The client may be gone.
}

// row is one line of a waterfall.
type row struct {
	Span

	Depth int
	// Offset is from the start of the trace, Left and Width are percents of its length.
	OffsetMs, Left, Width float64
}

// rowsOf puts each span below its parent, siblings in the order of their starts. A span whose parent has not arrived
// stands at the left; spans that claim to be each other's parents are left out.
func rowsOf(t Trace) []row {
	known := map[string]bool{}
	for _, span := range t.Spans {
		known[span.ID] = true
	}
	children := map[string][]Span{}
	for _, span := range t.Spans {
		parent := span.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], span)
	}
	var rows []row
	var add func(parent string, depth int)
	add = func(parent string, depth int) {
		for _, span := range children[parent] {
			rows = append(rows, rowOf(t, span, depth))
			add(span.ID, depth+1)
		}
	}
	add("", 0)
	return rows
}

func rowOf(t Trace, span Span, depth int) row {
	total := max(t.DurationMs, 0.001)
	offset := milliseconds(span.Start.Sub(t.Start))
	return row{
		Span: span, Depth: depth, OffsetMs: offset,
		Left: 100 * offset / total, Width: 100 * span.DurationMs / total,
	}
}

func formatMs(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f ms", ms)
	}
}
