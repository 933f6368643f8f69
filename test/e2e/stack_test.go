//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// The sample brand of config/samples/lumi.
const (
	brandName      = "lumi"
	channelName    = "shop"
	agentName      = "xiaomei"
	supervisorName = "laozhang"
	scheduleName   = "online"
	playbookName   = "shop"
	levelName      = "standard"

	// manyAtATime is the most that an Agent may serve.
	manyAtATime = 100
)

// stack is the running installation.
type stack struct {
	root string
	env  map[string]string
	kube kube
	sim  simulator
	// app is the sample Channel's account at the platform.
	app               app
	channel           *v1alpha1.Channel
	agent, supervisor desk
	// run makes the customers of this run nobody else's.
	run string
	met int
}

// open finds what make up brought up.
func open(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	must(t, err)
	return openAt(t, root)
}

// openAt finds what make up brought up of another checkout.
func openAt(t *testing.T, root string) *stack {
	t.Helper()
	s := &stack{root: root, run: strconv.FormatInt(time.Now().UnixMilli(), 36), channel: &v1alpha1.Channel{}}
	text, err := os.ReadFile(filepath.Join(s.root, ".run", "env"))
	if errors.Is(err, os.ErrNotExist) {
		t.Fatalf("there is no %s: run make up", filepath.Join(s.root, ".run", "env"))
	}
	must(t, err)
	s.env, err = parseEnv(string(text))
	must(t, err)
	for _, name := range []string{"KUBECONFIG", "DESK_URL", "SIMULATOR_URL", "KAFKA", "DATABASE_URL"} {
		if s.env[name] == "" {
			t.Fatalf("there is no %s in .run/env: run make up", name)
		}
	}
	s.kube, err = newKube(s.env["KUBECONFIG"])
	must(t, err)
	s.kube.get(t, channelName, s.channel)
	s.sim = simulator{s.env["SIMULATOR_URL"]}
	s.app = s.sim.app(s.channel.Spec.MiniProgram.AppID)
	s.agent, s.supervisor = s.signIn(t, agentName), s.signIn(t, supervisorName)
	return s
}

// signIn takes an Agent's trial token.
func (s *stack) signIn(t *testing.T, agent string) desk {
	t.Helper()
	secret := &corev1.Secret{}
	s.kube.get(t, agent+"-trial-token", secret)
	return desk{url: s.env["DESK_URL"], token: string(secret.Data["token"]), agent: agent}
}

// customer is somebody who has never written before. The name tells failures apart.
func (s *stack) customer(name string) customer {
	s.met++
	return s.app.customer(fmt.Sprintf("o-%s-%s-%d", s.run, name, s.met))
}

// staffed lets one agent alone serve everybody, around the clock, until the test ends. It closes what others have left
// open in the sample: a full desk would be given nothing.
func (s *stack) staffed(t *testing.T) {
	t.Helper()
	change(t, s.kube, scheduleName, &v1alpha1.ShiftSchedule{}, func(schedule *v1alpha1.ShiftSchedule) {
		schedule.Spec.Shifts = alwaysOpen()
		schedule.Spec.Overrides = nil
	})
	change(t, s.kube, agentName, &v1alpha1.Agent{}, func(agent *v1alpha1.Agent) { agent.Spec.Capacity = manyAtATime })
	must(t, s.supervisor.setDuty(t.Context(), false))
	must(t, s.agent.setDuty(t.Context(), true))
	s.clearDesk(t)
}

func (s *stack) clearDesk(t *testing.T) {
	t.Helper()
	must(t, s.cleared(t.Context()))
}

// cleared closes conversations until the agent has none and nobody waits.
func (s *stack) cleared(ctx context.Context) error {
	seen, ok := watch(ctx, cleanupLimit, s.closeOpen, func(left int) bool { return left == 0 })
	if !ok {
		return fmt.Errorf("clearing the agent's desk: conversations that are left: %s", seen)
	}
	return nil
}

// closeOpen closes all that the agent has and returns how many conversations there were, those in the queue included.
func (s *stack) closeOpen(ctx context.Context) (int, error) {
	mine, err := s.agent.mine(ctx)
	if err != nil {
		return 0, err
	}
	waiting, err := s.agent.conversations(ctx, queued, "")
	errs := []error{err}
	for _, c := range mine {
		errs = append(errs, s.agent.close(ctx, c.ID))
	}
	return len(mine) + len(waiting), errors.Join(errs...)
}

func alwaysOpen() []v1alpha1.WeeklyShift { return daily("00:00", "24h") }

func daily(start, duration string) []v1alpha1.WeeklyShift {
	return []v1alpha1.WeeklyShift{{
		Days: []v1alpha1.Weekday{
			v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday, v1alpha1.Saturday, v1alpha1.Sunday,
		},
		Shift: v1alpha1.Shift{Name: "e2e", Start: start, Duration: duration},
	}}
}

// program runs one of the checkout's own programs.
func (s *stack) program(ctx context.Context, name string, args ...string) error {
	return runProgram(ctx, s.root, filepath.Join(s.root, "bin", name), args...)
}
