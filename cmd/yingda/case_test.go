package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/golden"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/desk"
)

// aDesk answers as a desk does on which laowang has the token "secret"; it returns the queries that it got.
func aDesk(t *testing.T, now time.Time) (address string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	at := func(d time.Duration) *time.Time { then := now.Add(d); return &then }
	conversation := uuid.MustParse("0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11")
	returned := desk.CaseView{Name: "after-sales~0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77", Overdue: true, Case: store.Case{
		ID: "after-sales/lumi/lumi/0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77", Kind: promise.CaseAfterSales, State: "review", Title: "退货退款",
		Conversation: &conversation, Channel: "shop", Customer: "o-1", SkillGroup: "after-sales", OpenedAt: *at(-130 * time.Minute), Due: at(-10 * time.Minute),
		BreachedAt: at(-10 * time.Minute), Revision: 5, Detail: json.RawMessage(`{"state":"review","application":{"kind":"Return"}}`), Owner: "xiaomei",
	}, OwnerName: "小美"}
	promised := desk.CaseView{Name: "promise~0199c7a4-7c00-7b3a-b1e4-52f0c1d7aa02", Case: store.Case{
		ID: "promise/lumi/lumi/0199c7a4-7c00-7b3a-b1e4-52f0c1d7aa02", Kind: promise.CasePromise, State: "open", Title: "回电", Owner: "xiaomei",
		OpenedAt: *at(-15 * time.Minute), Due: at(45 * time.Minute), Revision: 1,
	}, OwnerName: "小美"}
	changed := desk.CaseView{Name: "order~0199c7a4-8d00-7c11-a2b3-1f0e9d8c7b6a", Case: store.Case{
		ID: "order/lumi/lumi/0199c7a4-8d00-7c11-a2b3-1f0e9d8c7b6a", Kind: promise.CaseOrder, State: "asked", Title: "修改地址", OpenedAt: *at(-15 * time.Minute), Revision: 1,
	}}
	write := func(w http.ResponseWriter, status int, value any) {
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(value); err != nil {
			t.Error(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			write(w, http.StatusUnauthorized, map[string]any{})
		case r.URL.Path == "/api/cases" && r.URL.Query().Get("state") == "nope":
			write(w, http.StatusUnprocessableEntity, map[string]any{"detail": "there is no state nope: complaint has open, escalated"})
		case r.URL.Path == "/api/cases" && r.URL.Query().Get("state") == "review":
			write(w, http.StatusOK, aPage(returned, r.URL.Query().Get("after"), 5000))
		case r.URL.Path == "/api/cases" && r.URL.Query().Get("state") == "evidence":
			write(w, http.StatusOK, aPage(returned, r.URL.Query().Get("after"), 1<<20))
		case r.URL.Path == "/api/cases" && r.URL.Query().Get("state") == "none":
			write(w, http.StatusOK, map[string]any{"cases": []any{}})
		case r.URL.Path == "/api/cases":
			write(w, http.StatusOK, map[string]any{"cases": []desk.CaseView{returned, promised}})
		case r.URL.Path == "/api/cases/"+returned.Name:
			write(w, http.StatusOK, desk.CaseDetail{
				CaseView: returned, Allowed: []desk.AllowedAction{{Action: "approve"}, {Action: "refuse", Needs: []string{"note"}}},
				History: []desk.CaseEvent{
					{Revision: 1, At: *at(-130 * time.Minute), Action: "apply", Actor: "customer", State: "review"},
					{Revision: 2, At: *at(-130 * time.Minute), Action: "due", State: "review", Due: at(-10 * time.Minute)},
					{
						Revision: 3, At: *at(-50 * time.Minute), Action: "assign", Actor: "laowang", ActorName: "王主管", State: "review", Owner: "xiaomei", OwnerName: "小美",
						Note: "熟悉这个客户",
					},
					{Revision: 4, At: *at(-10 * time.Minute), Action: "breach", State: "review", Note: "已超时"},
					{Revision: 5, At: *at(-5 * time.Minute), Action: "escalate", State: "review", Note: "升级第1级：\n已通知主管"},
				},
			})
		case r.URL.Path == "/api/cases/"+changed.Name:
			write(w, http.StatusOK, desk.CaseDetail{
				CaseView: changed, Allowed: []desk.AllowedAction{{Action: "done"}},
				Address: &desk.NewAddress{Recipient: "王女士", Phone: "13800000000", Address: "上海市徐汇区漕溪北路 1 号"},
				History: []desk.CaseEvent{{Revision: 1, At: *at(-15 * time.Minute), Action: "open", Actor: "xiaomei", ActorName: "小美", State: "asked"}},
			})
		case strings.HasPrefix(r.URL.Path, "/api/cases/"):
			write(w, http.StatusNotFound, map[string]any{"detail": "there is no such case"})
		default:
			write(w, http.StatusNotFound, map[string]any{})
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// aPage is the page that follows "after" of a list of so many cases like one.
func aPage(like desk.CaseView, after string, all int) map[string]any {
	from, _ := strconv.Atoi(after)
	until := min(from+casePage, all)
	page := map[string]any{"cases": slices.Repeat([]desk.CaseView{like}, until-from)}
	if until < all {
		page["next"], page["truncated"] = strconv.Itoa(until), true
	}
	return page
}

func TestAListIsReadToItsEndOrSaysThatItIsCut(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	address, asked := aDesk(t, now)
	t.Setenv("DESK_URL", address)
	t.Setenv("YINGDA_TOKEN", "secret")
	out, hints, err := runCase(t, now, "list", "--state", "review")
	if lines := strings.Count(out, "\n"); err != nil || hints != "" || lines != 5001 || len(*asked) != 10 {
		t.Errorf("%d lines of %d questions, %q, %v", lines, len(*asked), hints, err)
	}
	out, hints, err = runCase(t, now, "list", "--state", "evidence")
	want := "There are more than 50000; narrow them with --kind, --state, --overdue or --mine\n"
	if lines := strings.Count(out, "\n"); err != nil || hints != want || lines != 50_001 {
		t.Errorf("%d lines, %q, %v", lines, hints, err)
	}
}

func runCase(t *testing.T, now time.Time, arguments ...string) (out, hints string, err error) {
	t.Helper()
	cmd := newCaseCommandAt(func() time.Time { return now })
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(arguments)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

// TestCases runs what docs/cases.md shows, and reads there what came out.
func TestCases(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, shanghai)
	docs, err := os.ReadFile("../../docs/cases.md")
	if err != nil {
		t.Fatal(err)
	}
	address, asked := aDesk(t, now)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		arguments []string
		query     string
		inDocs    bool
	}{
		"list.txt":    {[]string{"list"}, "/api/cases?limit=500", true},
		"wide.txt":    {[]string{"list", "-o", "wide"}, "/api/cases?limit=500", false},
		"list.yaml":   {[]string{"list", "-o", "yaml"}, "/api/cases?limit=500", false},
		"overdue.txt": {[]string{"list", "--overdue", "--kind", "afterSales", "--mine"}, "/api/cases?dueBefore=2026-11-23T04%3A00%3A00Z&kind=afterSales&limit=500&mine=true", false},
		"show.txt":    {[]string{"show", "after-sales~0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77"}, "/api/cases/after-sales~0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77", true},
		"order.txt":   {[]string{"show", "order~0199c7a4-8d00-7c11-a2b3-1f0e9d8c7b6a"}, "/api/cases/order~0199c7a4-8d00-7c11-a2b3-1f0e9d8c7b6a", false},
		"show.json":   {[]string{"show", "after-sales~0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77", "-o", "json"}, "/api/cases/after-sales~0199c7a4-6a11-7f0e-8d55-1d2f6b0a9e77", false},
	} {
		t.Run(name, func(t *testing.T) {
			*asked = nil
			out, hints, err := runCase(t, now, append(tc.arguments, "--desk", address+"/", "--token-file", token)...)
			if err != nil || hints != "" {
				t.Fatalf("%v, %s", err, hints)
			}
			golden.Compare(t, "case/"+name, []byte(out))
			if got := strings.Join(*asked, " "); got != tc.query {
				t.Errorf("asked %s, want %s", got, tc.query)
			}
			if tc.inDocs && !strings.Contains(string(docs), out) {
				t.Errorf("docs/cases.md does not show testdata/case/%s", name)
			}
		})
	}
}

func TestCasesSayWhatToDo(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	address, _ := aDesk(t, now)
	for name, tc := range map[string]struct {
		url, token string
		arguments  []string
		want       string
	}{
		"no desk":                    {"", "secret", []string{"list"}, "say where the desk is: --desk URL or DESK_URL"},
		"a desk that is no URL":      {"desk.example", "secret", []string{"list"}, "--desk is an address such as https://desk.example, not desk.example"},
		"no token":                   {address, "", []string{"list"}, "--token-file FILE or YINGDA_TOKEN"},
		"a token of nobody":          {address, "wrong", []string{"list"}, "the desk knows no agent with this token: read it anew from the Secret"},
		"a desk that is away":        {"http://127.0.0.1:1", "secret", []string{"list"}, "is --desk right, and can it be reached from here?"},
		"a page that is no desk":     {address + "/docs", "secret", []string{"list"}, "there is no desk at " + address + "/docs: check --desk"},
		"a case that is not there":   {address, "secret", []string{"show", "promise~1"}, "there is no such case, or the agent may not see it"},
		"a kind that there is not":   {address, "secret", []string{"list", "--kind", "return"}, "--kind is one of afterSales, complaint,"},
		"a state that there is not":  {address, "secret", []string{"list", "--state", "nope"}, "there is no state nope: complaint has open, escalated"},
		"what has ended and is late": {address, "secret", []string{"list", "--ended", "--overdue"}, "leave out --overdue and --mine"},
		"an output that is none":     {address, "secret", []string{"list", "-o", "xml"}, "--output is wide, json or yaml, not xml"},
		"nothing is open":            {address, "secret", []string{"list", "--state", "none"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DESK_URL", tc.url)
			t.Setenv("YINGDA_TOKEN", tc.token)
			out, hints, err := runCase(t, now, tc.arguments...)
			switch {
			case tc.want == "" && (err != nil || out != "" || hints != "No open cases found; --ended lists those that have ended.\n"):
				t.Errorf("said %q, %q, error %v", out, hints, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want %q", err, tc.want)
			case err != nil && strings.Contains(err.Error(), "wrong"+tc.token):
				t.Errorf("the error holds the token: %v", err)
			}
		})
	}
}
