package desk

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/promise"
)

func TestSupervisorsReadWhatConversationsWereAbout(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	report := quality.Report{
		Name: "2026-W47", Conversations: 9, Rated: 5, Poor: 1, Phrases: []quality.Phrase{},
		Topics: []quality.Topic{{Question: "会员日是几号", Playbook: "shop", Conversations: 9, Customers: 8, Solved: 6, Answer: "每月 18 号是会员日。", Given: 4, Content: 3}},
	}
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Queries().QualityReportPut(t.Context(), report.Name, encoded, noon()); err != nil {
		t.Fatal(err)
	}
	v := d.as("laowang")
	weeks := asks[struct{ Weeks []ListedReport }](v, http.StatusOK, http.MethodGet, "/api/quality/weeks", nil).Weeks
	if diff := cmp.Diff([]ListedReport{{"2026-W47", noon()}}, weeks); diff != "" {
		t.Errorf("weeks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(report, asks[quality.Report](v, http.StatusOK, http.MethodGet, "/api/quality/weeks/2026-W47", nil)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	patch := v.sends(http.MethodGet, "/api/quality/weeks/2026-W47/faq.yaml", nil)
	if kind := patch.header.Get("Content-Type"); kind != "application/yaml; charset=utf-8" || !strings.Contains(string(patch.body), "question: \"会员日是几号\"") {
		t.Errorf("the patch is %s\n%s", kind, patch.body)
	}
	for path, status := range map[string]int{"2026-W46": 404, "2026-W46/faq.yaml": 404, "last": 422} {
		asks[refused](v, status, http.MethodGet, "/api/quality/weeks/"+path, nil)
	}
	for _, path := range []string{"", "/2026-W47", "/2026-W47/faq.yaml"} {
		asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodGet, "/api/quality/weeks"+path, nil)
	}
}

func TestSupervisorsHaveAQuarterCounted(t *testing.T) {
	w := newWorld(t) // It is the Monday of week 48.
	d := w.starts()
	v := d.as("laowang")
	got := asks[struct{ Name string }](v, http.StatusAccepted, http.MethodPost, "/api/quality/weeks/2026-W47/quarter", nil)
	if got.Name != "2026-W47-13w" {
		t.Errorf("the report will be %q", got.Name)
	}
	var inputs []promise.QualityWeekInput
	for _, payload := range w.outboxOf("start:" + promise.QualityWeekWorkflow) {
		var input promise.QualityWeekInput
		if err := json.Unmarshal(payload, &input); err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, input)
	}
	want := []promise.QualityWeekInput{{Namespace: "lumi", Brand: "lumi", TimeZone: "Asia/Shanghai", Weeks: 13, LastWeek: "2026-W47"}}
	if diff := cmp.Diff(want, inputs); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}
	for path, reason := range map[string]string{"2026-W48": "NotOver", "2026-W54": "NoSuchWeek"} {
		status := map[string]int{"NotOver": http.StatusConflict, "NoSuchWeek": http.StatusNotFound}[reason]
		if got := asks[refused](v, status, http.MethodPost, "/api/quality/weeks/"+path+"/quarter", nil); got.Type != "urn:yingda:problem:"+reason {
			t.Errorf("%s is refused with %+v", path, got)
		}
	}
	asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodPost, "/api/quality/weeks/2026-W47/quarter", nil)
}
