//go:build e2e

package e2e

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	// burstOfComplaints is more than chance explains for a brand of which nothing is known but quiet days.
	burstOfComplaints = 10
	// burstSeen is how long routers, which count once a minute, may take to see it.
	burstSeen = 75 * time.Second
)

// emergency is one that lasts, as every desk shows it.
type emergency struct {
	Case       string `json:"case"`
	SkillGroup string `json:"skillGroup"`
}

func (d desk) emergencies(ctx context.Context) ([]emergency, error) {
	var answer struct {
		Emergencies []emergency `json:"emergencies"`
	}
	err := d.do(ctx, http.MethodGet, "/api/emergencies", nil, &answer)
	return answer.Emergencies, err
}

// burstOfComplaints has many complain at once: one emergency begins, which every desk shows, the supervisor is told of, and customers
// read before any answer; the supervisor ends it, and it leaves a report.
func (s *story) burstOfComplaints() {
	t := s.t
	const banner = "部分包裹延误,我们正在处理。"
	s.quietDays(t)
	change(t, s.kube, playbookName, &v1alpha1.Playbook{}, func(p *v1alpha1.Playbook) { p.Spec.Texts.Banner = banner })
	supervisor := s.supervisor.listen(t, fromNow)
	group := s.complain(t)

	all := await(t, "the agent's desk shows an emergency", burstSeen, s.agent.emergencies, func(all []emergency) bool { return len(all) > 0 })
	// It is the whole brand's where other tests had complaints of other groups come.
	if len(all) != 1 || all[0].SkillGroup != group && all[0].SkillGroup != "" {
		t.Fatalf("the desk shows %s, want one of the group %s or of the brand", describe(all), group)
	}
	lasting := all[0]
	supervisor.gets(t, "the supervisor is told", soon, func(f frame) bool {
		p, ok := payload[file](f, "case")
		return ok && p.State == "open" && strings.HasSuffix(lasting.Case, lastPart(p.ID))
	})

	asks := s.customer("during-the-emergency")
	asks.writes(t, "怎么退货")
	answer := asks.receives(t, "the answer", isReturnPolicy)
	if said := asks.receives(t, "the banner", func(l line) bool { return l.Text == banner }); said.N > answer.N {
		t.Errorf("the banner came after the answer")
	}

	s.supervisor.acts(t, lasting.Case, "close", map[string]any{"note": "快递已恢复"})
	await(t, "no desk shows it any more", soon, s.agent.emergencies, func(all []emergency) bool { return len(all) == 0 })
	type reported struct {
		ClosedAt *time.Time `json:"closedAt"`
		Detail   struct {
			ClosedBy string `json:"closedBy"`
			Report   *struct {
				Complaints int            `json:"complaints"`
				ByGroup    map[string]int `json:"byGroup"`
			} `json:"report"`
		} `json:"detail"`
	}
	is := await(t, "the emergency has its report", recovery, func(ctx context.Context) (is reported, err error) {
		return is, s.supervisor.do(ctx, http.MethodGet, "/api/cases/"+lasting.Case, nil, &is)
	}, func(is reported) bool { return is.ClosedAt != nil && is.Detail.Report != nil })
	if report := is.Detail.Report; is.Detail.ClosedBy != supervisorName || report.Complaints < burstOfComplaints || report.ByGroup[group] < burstOfComplaints {
		t.Errorf("the report is %s", describe(is))
	}

	await(t, "customers read the answer alone", soon, func(ctx context.Context) ([]line, error) {
		c := s.customer("after-the-emergency")
		if _, err := c.send(ctx, map[string]any{"content": "怎么退货"}); err != nil {
			return nil, err
		}
		seen, _ := watch(ctx, soon, c.received, func(lines []line) bool { return slices.ContainsFunc(lines, isReturnPolicy) })
		return seen.value, seen.err
	}, func(lines []line) bool { return len(lines) == 1 && isReturnPolicy(lines[0]) })
}

// isReturnPolicy is what the sample's bot says of returns.
func isReturnPolicy(l line) bool { return strings.Contains(l.Text, "七天内") }

// lastPart is the number of an emergency, in the id of its case and in its name.
func lastPart(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// quietDays makes the brand one that has been served for a month without a complaint, until the test ends: for the days without which
// nobody can say what is usual, the test does not wait, nor for the half hour of calm without which no other run would see a burst.
func (s *story) quietDays(t *testing.T) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.env["DATABASE_URL"])
	must(t, err)
	cleanly(t, db.Close)
	first := time.Now().AddDate(0, -1, 0).Truncate(time.Hour)
	_, err = db.Exec(t.Context(), `INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds) VALUES ($1, $2, 1, 1, 60)
		ON CONFLICT DO NOTHING`, groupName, first)
	must(t, err)
	cleanly(t, func(ctx context.Context) error {
		lasting, err := s.agent.emergencies(ctx)
		for _, e := range lasting {
			body := map[string]any{"key": uuid.New(), "action": "close", "note": "e2e"}
			err = errors.Join(err, s.supervisor.do(ctx, http.MethodPost, "/api/cases/"+e.Case+"/actions", body, nil))
		}
		_, deleting := db.Exec(ctx, "DELETE FROM workload WHERE skill_group = $1 AND quarter = $2", groupName, first)
		_, calming := db.Exec(ctx, "UPDATE emergency SET calm_at = now() WHERE ended_at IS NOT NULL AND calm_at IS NULL")
		return errors.Join(err, deleting, calming)
	})
}

// complain has customers complain at the same time, and returns the group that their conversations are given to. Their complaints are
// resolved when the test ends.
func (s *story) complain(t *testing.T) string {
	t.Helper()
	complainants := make([]customer, burstOfComplaints)
	for i := range complainants {
		complainants[i] = s.customer("burst")
	}
	group, ctx := errgroup.WithContext(t.Context())
	for _, c := range complainants {
		group.Go(func() error {
			_, err := c.send(ctx, map[string]any{"content": "包裹一直不动,我要投诉!"})
			return err
		})
	}
	must(t, group.Wait())
	var given conversation
	for _, c := range complainants {
		given = s.stream.gives(t, c, soon)
		id := given.ID
		s.agent.closesLater(t, id)
		cleanly(t, func(ctx context.Context) error { return s.supervisor.resolve(ctx, id, "快递已恢复") })
	}
	return given.SkillGroup
}
