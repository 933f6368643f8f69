//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// story is a stack with an agent at work, as one chapter knows it.
type story struct {
	*stack
	t *testing.T
	// stream is the agent's open workbench.
	stream *stream
}

// chapter is a part of the story.
type chapter struct {
	name string
	play func(*story)
}

// TestStory plays a customer's day. Each chapter has customers of its own and puts back what it changed.
func TestStory(t *testing.T) {
	stack := open(t)
	t.Run("every object of the sample is Ready", func(t *testing.T) { stack.kube.allReady(t, settleLimit) })
	stack.staffed(t)
	for _, chapter := range []chapter{
		{"a customer writes, the agent answers, the customer reads it", (*story).bothWays},
		{"an agent whose connection broke gets what they missed", (*story).missedFrames},
		{"three pushes of one MsgId show once", (*story).repeatedPushes},
		{"the same over XML", (*story).overXML},
		{"a secure Channel refuses plaintext", (*story).plaintextRefused},
		{"a picture is kept and shown", (*story).picture},
		{"an answer of which nobody knows is shown as unknown and not sent again", (*story).unknownSend},
		{"an answer beyond the platform's quota is refused before it is sent", (*story).spentQuota},
		{"a second customer waits while the only agent is full", (*story).fullAgent},
		{"what is written outside the shift is answered at the next opening", (*story).outsideTheShift},
		{"a complaint left alone is escalated", (*story).complaintLeftAlone},
		{"a refund goes through every step once, though the worker dies", (*story).refundedOnce},
		{"a promise that is late is marked, and can still be kept", (*story).promisedAndLate},
		{"a conversation is drawn, judged and appealed against, and the week's questions come as a patch", (*story).lookedBack},
		{"an edited Playbook is in force at once", (*story).editedPlaybook},
		{"a rotated Secret is taken without a restart", (*story).rotatedSecret},
		{"an official account answers at once", (*story).answersAtOnce},
		{"at an official account a human takes over from the bot", (*story).humanAtTheAccount},
		{"one person at both accounts is one customer", (*story).onePerson},
		{"an official account's menu is repaired", (*story).repairedMenu},
		{"a second Channel of the pool is served without a restart", (*story).secondChannel},
		{"what takes its minute", (*story).withPatience},
		{"a group that lacks agents calls a pager with a private certificate, and says whether it took the call", (*story).calledAtThePager},
		{"another brand comes from one folder and leaves nothing behind", (*story).anotherBrand},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			chapter.play(&story{stack, t, stack.agent.listen(t, fromNow)})
		})
	}
}

// withPatience plays chapters side by side that wait for a minute to come: they change different objects, and customers write in
// one of them alone.
func (s *story) withPatience() {
	for _, chapter := range []chapter{
		{"a burst of complaints is one emergency, of which customers read first", (*story).burstOfComplaints},
		{"a peak that starts in a minute lifts the pods before it", (*story).liftedBeforeThePeak},
	} {
		s.t.Run(chapter.name, func(t *testing.T) {
			t.Parallel()
			chapter.play(&story{s.stack, t, s.agent.listen(t, fromNow)})
		})
	}
}

// meets lets a customer write for the first time and waits until the agent has the conversation.
func (s *story) meets(t *testing.T, c customer, text string) conversation {
	t.Helper()
	c.writes(t, text)
	given := s.stream.gives(t, c, soon)
	s.agent.closesLater(t, given.ID)
	return given
}

func (s *story) bothWays() {
	t := s.t
	if s.channel.Spec.MiniProgram.MessageMode != v1alpha1.MessageModeSecure {
		t.Fatalf("the sample's Channel is in mode %s, the story wants Secure", s.channel.Spec.MiniProgram.MessageMode)
	}
	s.app.set(t, console{Mode: "secure", Format: "JSON"})
	c := s.customer("both-ways")
	given := s.meets(t, c, "你好,这件衣服有货吗?")
	s.agent.hears(t, given.ID, "你好,这件衣服有货吗?")
	c.writes(t, "在吗?😀")
	s.stream.shows(t, given.ID, "在吗?😀")
	s.agent.replies(t, c, given.ID, "有货的,今天下单明天发。")
	answer := s.stream.shows(t, given.ID, "有货的,今天下单明天发。")
	s.stream.delivers(t, answer.ID, "delivered")
	must(t, s.agent.close(t.Context(), given.ID))
	s.stream.gets(t, "the conversation is shown as closed", soon, func(f frame) bool {
		p, ok := payload[conversation](f, "conversation")
		return ok && p.ID == given.ID && p.State == closed
	})
}

func (s *story) missedFrames() {
	t := s.t
	c := s.customer("missed")
	given := s.meets(t, c, "第一句")
	last := s.stream.last()
	s.stream.close()
	c.writes(t, "没人在听的时候")
	again := s.agent.listen(t, last)
	again.shows(t, given.ID, "没人在听的时候")
	frames, _, _ := again.state()
	for _, f := range frames {
		if f.Kind != "hello" && f.Seq <= last {
			t.Errorf("frame %d came again after %d", f.Seq, last)
		}
	}
}

func (s *story) repeatedPushes() {
	t := s.t
	c := s.customer("repeated")
	first := c.writes(t, "一")
	given := s.stream.gives(t, c, soon)
	s.agent.closesLater(t, given.ID)
	s.repeats(t, first, 2, false)
	s.repeats(t, c.writes(t, "二"), 3, true)
	// What comes after the repetitions, in the same partition, says that they were worked on.
	c.writes(t, "三")
	s.agent.hears(t, given.ID, "一", "二", "三")
}

func (s *story) repeats(t *testing.T, p push, times int, concurrent bool) {
	t.Helper()
	attempts, err := s.app.repeat(t.Context(), p.ID, times, concurrent)
	must(t, err)
	for _, a := range attempts {
		if a.Outcome != outcomeSuccess {
			t.Errorf("a repetition was not answered with success: %s", describe(attempts))
		}
	}
}

func (s *story) overXML() {
	t := s.t
	s.app.set(t, console{Mode: "secure", Format: "XML"})
	c := s.customer("xml")
	given := s.meets(t, c, "<b>XML & 中文 ]]></b>")
	s.repeats(t, c.writes(t, "二"), 3, true)
	c.writes(t, "三")
	s.agent.hears(t, given.ID, "<b>XML & 中文 ]]></b>", "二", "三")
	s.agent.replies(t, c, given.ID, "收到 <XML>")
}

func (s *story) plaintextRefused() {
	t := s.t
	c := s.customer("plaintext")
	func() {
		must(t, s.app.change(t.Context(), console{Mode: "plaintext"}))
		defer func() { must(t, s.app.change(t.Context(), console{Mode: "secure"})) }()
		p, err := c.send(t.Context(), map[string]any{"content": "没有加密"})
		must(t, err)
		if p.State != pushFailed || p.Attempts[0].Status != http.StatusForbidden {
			t.Errorf("a secure Channel took plaintext: %s", describe(p))
		}
	}()
	given := s.meets(t, c, "加密了")
	s.agent.hears(t, given.ID, "加密了")
}

func (s *story) picture() {
	t := s.t
	c := s.customer("picture")
	drawing := drawn(t)
	given := s.meets(t, c, "看这张图")
	c.sends(t, map[string]any{"type": "image", "image": drawing})
	th := await(t, "the transcript holds the picture", soon,
		func(ctx context.Context) (thread, error) { return s.agent.thread(ctx, given.ID) },
		func(th thread) bool { return len(th.Messages) == 2 && th.Messages[1].Content.Media != nil })
	address := s.agent.url + "/api/media/" + th.Messages[1].Content.Media.ID + "?conversation=" + given.ID
	got := await(t, "the desk serves the picture", soon,
		func(ctx context.Context) ([]byte, error) {
			return fetch(ctx, http.MethodGet, address, s.agent.token, nil)
		},
		func(data []byte) bool { return len(data) > 0 })
	if !bytes.Equal(drawing, got) {
		t.Errorf("the picture has %d bytes at the desk and had %d", len(got), len(drawing))
	}
	if _, err := fetch(t.Context(), http.MethodGet, address, "", nil); err == nil {
		t.Error("the desk serves pictures to strangers")
	}
}

func (s *story) unknownSend() {
	t := s.t
	c := s.customer("unknown")
	given := s.meets(t, c, "收得到吗?")
	// The platform sends the answer and the connection breaks: whoever asked cannot know.
	s.app.fault(t, map[string]any{"on": "send", "openid": c.openid, "when": "after", "drop": true})
	must(t, s.agent.send(t.Context(), given.ID, uuid.NewString(), "不知道你收到没有。"))
	s.agent.shows(t, given.ID, "不知道你收到没有。", "unknown")
	s.agent.replies(t, c, given.ID, "这一句能收到。")
	lines, err := c.received(t.Context())
	must(t, err)
	if len(lines) != 2 || lines[0].Text != "不知道你收到没有。" {
		t.Errorf("the customer received %s", describe(lines))
	}
}

func (s *story) spentQuota() {
	t := s.t
	const quota = 5
	c := s.customer("quota")
	given := s.meets(t, c, "你说吧")
	for n := range quota {
		s.agent.replies(t, c, given.ID, fmt.Sprintf("第 %d 条", n+1))
	}
	var refused *statusError
	if err := s.agent.send(t.Context(), given.ID, uuid.NewString(), "多出来的一条"); !errors.As(err, &refused) || !strings.Contains(refused.body, "QuotaSpent") {
		t.Errorf("one answer too many: %v", err)
	}
	c.writes(t, "继续")
	s.stream.shows(t, given.ID, "继续")
	s.agent.replies(t, c, given.ID, "又可以说了。")
}

func (s *story) fullAgent() {
	t := s.t
	mine, err := s.agent.mine(t.Context())
	must(t, err)
	change(t, s.kube, agentName, &v1alpha1.Agent{}, func(agent *v1alpha1.Agent) { agent.Spec.Capacity = int32(len(mine)) + 1 })
	first, second := s.customer("served"), s.customer("waiting")
	served := s.meets(t, first, "我先来的")
	second.writes(t, "我后来的")
	s.agent.sees(t, second, queued)
	second.receives(t, "the customer is told to wait", func(l line) bool { return l.Text != "" })
	if mine, err = s.agent.mine(t.Context()); err != nil || slices.ContainsFunc(mine, func(c conversation) bool { return c.Customer == second.openid }) {
		t.Fatalf("a full agent was given a conversation (error %v): %s", err, describe(mine))
	}
	must(t, s.agent.close(t.Context(), served.ID))
	given := s.stream.gives(t, second, soon)
	s.agent.closesLater(t, given.ID)
	s.agent.hears(t, given.ID, "我后来的")
	s.agent.replies(t, second, given.ID, "让您久等了。")
}

func (s *story) outsideTheShift() {
	t := s.t
	schedule := &v1alpha1.ShiftSchedule{}
	var opening time.Time
	change(t, s.kube, scheduleName, schedule, func(schedule *v1alpha1.ShiftSchedule) {
		zone, err := time.LoadLocation(schedule.Spec.TimeZone)
		must(t, err)
		opening = nextOpening(time.Now(), 8*time.Second).In(zone)
		schedule.Spec.Shifts = daily(opening.Format("15:04"), "23h")
	})
	c := s.customer("off-hours")
	c.writes(t, "半夜有人吗?")
	waiting := s.agent.sees(t, c, awaitingOpening)
	s.agent.closesLater(t, waiting.ID)
	told := c.receives(t, "the customer is told when the desk opens", func(l line) bool { return l.Text != "" })
	if !strings.Contains(told.Text, opening.Format("15:04")) {
		t.Errorf("the opening at %s is not in what the customer was told: %s", opening.Format("15:04"), told.Text)
	}
	if time.Now().After(opening) {
		t.Fatalf("the shift has opened at %s before the test came to it", opening)
	}
	f := s.stream.gets(t, "the conversation is given to the agent at the opening", time.Until(opening)+soon, func(f frame) bool {
		p, ok := payload[conversation](f, "conversation")
		return ok && p.ID == waiting.ID && p.State == assigned
	})
	if f.At.Before(opening) {
		t.Errorf("the conversation was given at %s, the shift opens at %s", f.At, opening)
	}
	s.agent.hears(t, waiting.ID, "半夜有人吗?")
	s.agent.replies(t, c, waiting.ID, "早上好,我们开门了。")
}

func (s *story) complaintLeftAlone() {
	t := s.t
	change(t, s.kube, levelName, &v1alpha1.ServiceLevel{}, func(level *v1alpha1.ServiceLevel) {
		level.Spec.Complaint.Ladder = []v1alpha1.EscalationRung{{After: "3s", Notify: v1alpha1.RoleSupervisor}}
	})
	playbook := &v1alpha1.Playbook{}
	s.kube.get(t, playbookName, playbook)
	supervisor := s.supervisor.listen(t, fromNow)
	c := s.customer("complaint")
	given := s.meets(t, c, "我要投诉!")
	if given.Topic != v1alpha1.TopicComplaint {
		t.Errorf("the conversation's topic is %q", given.Topic)
	}
	c.reads(t, playbook.Spec.Texts.ComplaintAcknowledged)
	called := supervisor.tells(t, given.ID, "escalated", soon)
	if called.EscalatedTo != string(v1alpha1.RoleSupervisor) {
		t.Errorf("the complaint was escalated to %q", called.EscalatedTo)
	}
	isEscalated := func(all []complaint) bool {
		return slices.ContainsFunc(all, func(one complaint) bool { return one.Conversation == given.ID && one.State == "escalated" })
	}
	await(t, "the supervisor's desk lists the complaint as escalated", soon, s.supervisor.complaints, isEscalated)
	must(t, s.supervisor.resolve(t.Context(), given.ID, "已退款并致歉"))
	supervisor.tells(t, given.ID, "resolved", soon)
	th, err := s.agent.thread(t.Context(), given.ID)
	must(t, err)
	if th.Complaint == nil || th.Complaint.State != "resolved" || th.Complaint.ResolvedBy != supervisorName {
		t.Errorf("the agent sees the complaint as %s", describe(th.Complaint))
	}
}

func (s *story) editedPlaybook() {
	t := s.t
	// A second is promised. Another is left to the customer's message and its answer, and to a machine at work for others.
	const inForce = 2 * time.Second
	unchanged := s.kube.nothingRestarts(t)
	word := "暗号" + s.run
	rule := func(text string) v1alpha1.PlaybookRule {
		return v1alpha1.PlaybookRule{
			Name: "e2e", Match: v1alpha1.PlaybookMatch{Keywords: []string{word}}, Reply: &v1alpha1.BotReply{Text: text},
		}
	}
	playbook := &v1alpha1.Playbook{}
	change(t, s.kube, playbookName, playbook, func(p *v1alpha1.Playbook) { p.Spec.Rules = slices.Insert(p.Spec.Rules, 0, rule("旧答案")) })
	c := s.customer("playbook")
	c.writes(t, word)
	c.reads(t, "旧答案")
	edited := playbook.DeepCopy()
	edited.Spec.Rules[0] = rule("新答案")
	must(t, s.kube.patch(t.Context(), edited, playbook))
	began := time.Now()
	await(t, "the bot gives the new answer", soon, func(ctx context.Context) ([]line, error) {
		if _, err := c.send(ctx, map[string]any{"content": word}); err != nil {
			return nil, err
		}
		return c.received(ctx)
	}, func(lines []line) bool {
		return slices.ContainsFunc(lines, func(l line) bool { return l.Text == "新答案" })
	})
	took := time.Since(began)
	t.Logf("the edit was in force after %s", took.Round(time.Millisecond))
	if took > inForce {
		t.Errorf("the edit was in force after %s, want within %s", took, inForce)
	}
	await(t, "the status says that every replica serves the edit", soon, s.kube.conditions(edited), isAcknowledged)
	t.Logf("the status said so after %s", time.Since(began).Round(time.Millisecond))
	unchanged()
	// Out of the bot's hands, so that the conversation can be closed.
	c.writes(t, "转人工")
	s.agent.closesLater(t, s.stream.gives(t, c, soon).ID)
}
