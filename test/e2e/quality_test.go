//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	temporalclient "go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// judged is a conversation that is judged, as the desk shows it.
type judged struct {
	Judgement struct {
		Conversation string `json:"conversation"`
		Day          string `json:"day"`
		Agent        string `json:"agent"`
		State        string `json:"state"`
		Scores       []struct {
			By       string `json:"by"`
			Attitude int    `json:"attitude"`
		} `json:"scores"`
	} `json:"judgement"`
}

// judgements lists what an agent's desk shows of them: "", "?all=true" or "/mine".
func (d desk) judgements(ctx context.Context, which string) ([]judged, error) {
	var answer struct {
		Judgements []judged `json:"judgements"`
	}
	err := d.do(ctx, http.MethodGet, "/api/quality/judgements"+which, nil, &answer)
	return answer.Judgements, err
}

// lookedBack has the day and the week looked back upon before they are over: a conversation is drawn and judged, the agent appeals, somebody
// else decides; and what customers asked and no Playbook answers comes as a patch that the cluster takes.
func (s *story) lookedBack() {
	t := s.t
	const question, answer = "礼盒可以写贺卡吗", "可以的,下单时在备注里写上贺卡内容就行。"
	other := s.admin(t)
	for n := range 3 {
		c := s.customer("asks")
		given := s.meets(t, c, question)
		must(t, s.agent.send(t.Context(), given.ID, uuid.NewString(), answer))
		if n == 0 {
			c.reads(t, answer)
		}
		must(t, s.agent.close(t.Context(), given.ID))
	}
	schedule := &v1alpha1.ShiftSchedule{}
	s.kube.get(t, scheduleName, schedule)
	zone, err := time.LoadLocation(schedule.Spec.TimeZone)
	must(t, err)
	began := time.Now().In(zone)
	s.runsAheadOf(t, "quality-sample", began.AddDate(0, 0, 1))
	s.runsAheadOf(t, "quality-week", began.AddDate(0, 0, 7))

	path := s.judgesOne(t, began.Format(time.DateOnly))
	must(t, s.agent.do(t.Context(), http.MethodPost, path+"/appeal", map[string]string{"words": "客户很满意"}, nil))
	decision := map[string]any{"scores": map[string]int{"scriptNorms": 5, "attitude": 5, "expertise": 5}, "comment": "同意"}
	var refused *statusError
	if err := s.supervisor.do(t.Context(), http.MethodPost, path+"/decision", decision, nil); !errors.As(err, &refused) || refused.status != http.StatusForbidden {
		t.Errorf("who judged decides on the appeal: %v", err)
	}
	must(t, other.do(t.Context(), http.MethodPost, path+"/decision", decision, nil))
	mine, err := s.agent.judgements(t.Context(), "/mine")
	must(t, err)
	if i := slices.IndexFunc(mine, func(j judged) bool { return strings.Contains(path, j.Judgement.Conversation) }); i < 0 || mine[i].Judgement.State != "changed" ||
		len(mine[i].Judgement.Scores) != 2 || mine[i].Judgement.Scores[1].Attitude != 5 || mine[i].Judgement.Scores[1].By != other.agent {
		t.Errorf("the agent sees %s", describe(mine))
	}

	year, number := began.ISOWeek()
	s.patches(t, fmt.Sprintf("%d-W%02d", year, number), began, question, answer)
}

// admin is somebody who decides on appeals against the one supervisor of the sample, until the test ends.
func (s *story) admin(t *testing.T) desk {
	t.Helper()
	agent := &v1alpha1.Agent{}
	agent.Namespace, agent.Name = namespace, "e2e-"+s.run
	agent.Spec = v1alpha1.AgentSpec{BrandRef: v1alpha1.BrandReference{Name: brandName}, DisplayName: "测试", Role: v1alpha1.RoleAdmin, Capacity: 1}
	s.kube.create(t, agent)
	s.kube.settled(t, agent)
	return s.signIn(t, agent.Name)
}

// runsAheadOf has a Schedule run for a day before it comes, as the temporal program's schedule backfill does.
func (s *story) runsAheadOf(t *testing.T, schedule string, day time.Time) {
	t.Helper()
	// From the Monday or the midnight on, so that one run of the night to come lies within.
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	start := midnight
	if schedule == "quality-week" {
		start = midnight.AddDate(0, 0, -(int(midnight.Weekday())+6)%7)
	}
	handle := s.temporal(t).ScheduleClient().GetHandle(t.Context(), schedule+"/"+namespace+"/"+brandName)
	must(t, handle.Backfill(t.Context(), temporalclient.ScheduleBackfillOptions{Backfill: []temporalclient.ScheduleBackfill{
		{Start: start, End: start.Add(12 * time.Hour), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL},
	}}))
}

// judgesOne judges a conversation of the agent's that was drawn for a day, and returns the path of the judgement at the desk.
func (s *story) judgesOne(t *testing.T, day string) string {
	t.Helper()
	var drawn judged
	await(t, "a conversation of the agent's is drawn", recovery,
		func(ctx context.Context) ([]judged, error) { return s.supervisor.judgements(ctx, "") },
		func(all []judged) bool {
			i := slices.IndexFunc(all, func(j judged) bool {
				return j.Judgement.Day == day && j.Judgement.Agent == agentName && j.Judgement.State == "pending"
			})
			if i >= 0 {
				drawn = all[i]
			}
			return i >= 0
		})
	path := "/api/conversations/" + drawn.Judgement.Conversation + "/judgement"
	must(t, s.supervisor.do(t.Context(), http.MethodPost, path, map[string]any{
		"scriptNorms": 4, "attitude": 2, "expertise": 4, "comment": "可以更热情",
	}, nil))
	return path
}

// patches waits for the report of a week, and has the cluster look at its patch as kubectl applies it.
func (s *story) patches(t *testing.T, week string, began time.Time, question, answer string) {
	t.Helper()
	type reports struct {
		Weeks []struct {
			Name   string    `json:"name"`
			MadeAt time.Time `json:"madeAt"`
		} `json:"weeks"`
	}
	await(t, "the week's report is made", recovery, func(ctx context.Context) (all reports, err error) {
		return all, s.supervisor.do(ctx, http.MethodGet, "/api/quality/weeks", nil, &all)
	}, func(all reports) bool {
		return len(all.Weeks) > 0 && all.Weeks[0].Name == week && all.Weeks[0].MadeAt.After(began)
	})
	patch, err := fetch(t.Context(), http.MethodGet, s.supervisor.url+"/api/quality/weeks/"+week+"/faq.yaml", s.supervisor.token, nil)
	must(t, err)
	for _, want := range []string{question, answer} {
		if !strings.Contains(string(patch), want) {
			t.Errorf("no %q in the patch:\n%s", want, patch)
		}
	}
	// By a relative path: kubectl takes the commas in the folder's name for those of a list.
	const file = "faq.yaml"
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, file), patch, 0o600))
	must(t, runProgram(t.Context(), dir, filepath.Join(s.root, "bin", "k8s", "kubectl"), "--kubeconfig="+s.env["KUBECONFIG"], "apply", "--server-side",
		"--dry-run=server", "--field-manager=yingda-quality-"+strings.ToLower(week), "--namespace="+namespace, "--filename="+file))
}
