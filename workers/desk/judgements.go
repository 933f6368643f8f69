package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const maxJudgements = 200

// JudgedConversation is a conversation that is judged, or was.
type JudgedConversation struct {
	Conversation store.Conversation `json:"conversation"`
	Judgement    store.Judgement    `json:"judgement"`
}

type judgementsInput struct {
	All bool `query:"all" doc:"Also those that were made, and those that others have."`
}

type judgementsOutput struct {
	Body struct {
		Judgements []JudgedConversation `json:"judgements" nullable:"false"`
	}
}

type judgementOutput struct{ Body store.Judgement }

// Aspects are what a conversation is judged by.
type Aspects struct {
	ScriptNorms int16 `json:"scriptNorms" minimum:"1" maximum:"5" doc:"Whether it was said as the brand wants it said; 5 is the best."`
	Attitude    int16 `json:"attitude" minimum:"1" maximum:"5" doc:"How the customer was treated; 5 is the best."`
	Expertise   int16 `json:"expertise" minimum:"1" maximum:"5" doc:"Whether it was right and helped; 5 is the best."`
}

type scoreInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Aspects
		Comment string `json:"comment,omitempty" maxLength:"1000" doc:"What to keep and what to do better, for the agent."`
	}
}

type appealInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Words string `json:"words" minLength:"1" maxLength:"1000" doc:"Why the agent does not agree."`
	}
}

type decisionInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Scores  *Aspects `json:"scores,omitempty" doc:"What counts instead; without it the judgement is upheld."`
		Comment string   `json:"comment" minLength:"1" maxLength:"1000" doc:"Why, for the agent."`
	}
}

type averagesInput struct {
	Days int `query:"days" minimum:"1" maximum:"366" default:"30" doc:"How many days back."`
}

// AgentAverage is how an agent's conversations were judged in the end.
type AgentAverage struct {
	Agent       string  `json:"agent"`
	Judged      int64   `json:"judged"`
	ScriptNorms float64 `json:"scriptNorms"`
	Attitude    float64 `json:"attitude"`
	Expertise   float64 `json:"expertise"`
}

type averagesOutput struct {
	Body struct {
		Agents []AgentAverage `json:"agents" nullable:"false"`
	}
}

func (d *Desk) judgementRoutes(api huma.API) {
	const lists, path = "/api/quality/judgements", "/api/conversations/{id}/judgement"
	handle(d, api, huma.Operation{
		OperationID: "judgements", Method: http.MethodGet, Path: lists, Errors: []int{403},
		Summary: "Conversations that the supervisor is to judge and appeals that they are to decide, what is due first first; an admin's are everybody's",
	}, d.judgements)
	handle(d, api, huma.Operation{
		OperationID: "my-judgements", Method: http.MethodGet, Path: lists + "/mine", Summary: "How the agent's own conversations were judged, the newest first",
	}, d.myJudgements)
	handle(d, api, huma.Operation{
		OperationID: "quality-averages", Method: http.MethodGet, Path: "/api/quality/agents", Summary: "How agents' conversations were judged on average; to an agent, theirs",
	}, d.averages)
	handle(d, api, huma.Operation{
		OperationID: "judgement", Method: http.MethodGet, Path: path, Summary: "How a conversation was judged; for supervisors, and for who had it", Errors: []int{404},
	}, d.judgement)
	handle(d, api, huma.Operation{
		OperationID: "score", Method: http.MethodPost, Path: path, Summary: "Judge a conversation", Errors: []int{403, 404, 409},
	}, d.score)
	handle(d, api, huma.Operation{
		OperationID: "appeal", Method: http.MethodPost, Path: path + "/appeal", Summary: "Appeal against the judgement of one's own conversation, once and within 7 days", Errors: []int{403, 404, 409},
	}, d.appeal)
	handle(d, api, huma.Operation{
		OperationID: "decide-appeal", Method: http.MethodPost, Path: path + "/decision", Summary: "Decide on an appeal against somebody else's judgement", Errors: []int{403, 404, 409},
	}, d.decide)
}

func (d *Desk) judgements(ctx context.Context, p *principal, in *judgementsInput) (*judgementsOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	owner := p.agent.Name
	if in.All || p.agent.Spec.Role == yingdav1.RoleAdmin {
		owner = ""
	}
	return d.listJudgements(ctx, !in.All, owner, "")
}

func (d *Desk) myJudgements(ctx context.Context, p *principal, _ *nothing) (*judgementsOutput, error) {
	return d.listJudgements(ctx, false, "", p.agent.Name)
}

func (d *Desk) listJudgements(ctx context.Context, open bool, owner, agent string) (*judgementsOutput, error) {
	queries := d.Store.Queries()
	rows, err := queries.QualityReviews(ctx, open, owner, agent, maxJudgements)
	if err != nil {
		return nil, fmt.Errorf("listing judgements: %w", err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.QualityReview.CaseID
	}
	scores, err := queries.QualityScores(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("listing scores: %w", err)
	}
	of := map[string][]db.QualityScore{}
	for _, score := range scores {
		of[score.CaseID] = append(of[score.CaseID], score)
	}
	out := &judgementsOutput{}
	out.Body.Judgements = make([]JudgedConversation, len(rows))
	for i, row := range rows {
		out.Body.Judgements[i] = JudgedConversation{
			store.ConversationView(row.Conversation), store.JudgementView(row.QualityReview, row.ServiceCase, of[row.QualityReview.CaseID]),
		}
	}
	return out, nil
}

func (d *Desk) averages(ctx context.Context, p *principal, in *averagesInput) (*averagesOutput, error) {
	agent := p.agent.Name
	if p.supervises() {
		agent = ""
	}
	rows, err := d.Store.Queries().QualityAverages(ctx, d.Now().AddDate(0, 0, -in.Days).Format(time.DateOnly), agent)
	if err != nil {
		return nil, fmt.Errorf("reading averages: %w", err)
	}
	out := &averagesOutput{}
	out.Body.Agents = make([]AgentAverage, len(rows))
	for i, row := range rows {
		out.Body.Agents[i] = AgentAverage{row.Agent, row.Reviews, row.ScriptNorms, row.Attitude, row.Expertise}
	}
	return out, nil
}

func (d *Desk) judgement(ctx context.Context, p *principal, in *conversationInput) (*judgementOutput, error) {
	j, _, err := judgementOf(ctx, d.Store.Queries(), p, in.ID)
	if err != nil {
		return nil, err
	}
	if !p.supervises() && j.State == quality.Pending {
		return nil, errNoJudgement()
	}
	return &judgementOutput{j}, nil
}

func (d *Desk) score(ctx context.Context, p *principal, in *scoreInput) (*judgementOutput, error) {
	return d.judge(ctx, p, in.ID, judging{
		step: "score", may: func(j store.Judgement) *quality.Refusal { return j.Rules().MayScore(person(p)) },
		take: func(ctx context.Context, u *store.Unit, _ db.QualityReview, c *store.Case) error {
			c.State, c.Owner, c.Due, c.ClosedAt = string(quality.Scored), p.agent.Name, nil, &u.Now
			if err := u.QualityScoreAdd(ctx, scoreOf(u, c, p, store.RoundJudgement, in.Body.Aspects, in.Body.Comment)); err != nil {
				return fmt.Errorf("writing a score: %w", err)
			}
			// Who judges a conversation in which a customer waited has looked at it.
			if _, err := u.ReviewDone(ctx, u.Now, p.agent.Name, in.ID); err != nil {
				return fmt.Errorf("noting a review: %w", err)
			}
			return nil
		},
	})
}

func (d *Desk) appeal(ctx context.Context, p *principal, in *appealInput) (*judgementOutput, error) {
	snapshot := d.Catalog.Snapshot()
	return d.judge(ctx, p, in.ID, judging{
		step: "appeal", may: func(j store.Judgement) *quality.Refusal { return j.Rules().MayAppeal(person(p), d.Now()) },
		take: func(ctx context.Context, u *store.Unit, r db.QualityReview, c *store.Case) error {
			rules := quality.Review{Agent: r.Agent, Scorer: c.Owner}
			due := u.Now.Add(time.Duration(r.DueSeconds) * time.Second)
			// The decision has a time of its own, whether the judgement was late or not; the history has that.
			c.State, c.Due, c.BreachedAt, c.ClosedAt = string(quality.Appealed), &due, nil, nil
			c.Owner = rules.Judge(snapshot.WithRole(yingdav1.RoleSupervisor), snapshot.WithRole(yingdav1.RoleAdmin), c.ID)
			if err := u.QualityAppeal(ctx, in.Body.Words, u.Now, c.ID); err != nil {
				return fmt.Errorf("writing an appeal: %w", err)
			}
			return nil
		},
	})
}

func (d *Desk) decide(ctx context.Context, p *principal, in *decisionInput) (*judgementOutput, error) {
	return d.judge(ctx, p, in.ID, judging{
		step: "decide", may: func(j store.Judgement) *quality.Refusal { return j.Rules().MayDecide(person(p)) },
		take: func(ctx context.Context, u *store.Unit, _ db.QualityReview, c *store.Case) error {
			c.State, c.Owner, c.Due, c.ClosedAt = string(quality.Upheld), p.agent.Name, nil, &u.Now
			scores, err := u.QualityScores(ctx, []string{c.ID})
			if err != nil {
				return fmt.Errorf("reading the score that is appealed: %w", err)
			}
			counts := Aspects{scores[0].ScriptNorms, scores[0].Attitude, scores[0].Expertise}
			if in.Body.Scores != nil {
				c.State, counts = string(quality.Changed), *in.Body.Scores
			}
			if err := u.QualityScoreAdd(ctx, scoreOf(u, c, p, store.RoundDecision, counts, in.Body.Comment)); err != nil {
				return fmt.Errorf("writing a score: %w", err)
			}
			return nil
		},
	})
}

// judging is a step of a judgement.
type judging struct {
	step string
	may  func(store.Judgement) *quality.Refusal
	// take changes the case, which is locked, and writes what belongs to it.
	take func(ctx context.Context, u *store.Unit, r db.QualityReview, c *store.Case) error
}

// judge takes a step if it may be taken now. The owner, who judged before and the agent hear of it.
func (d *Desk) judge(ctx context.Context, p *principal, id uuid.UUID, step judging) (*judgementOutput, error) {
	out := &judgementOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		before, row, err := judgementOf(ctx, u.Queries, p, id)
		if err != nil {
			return err
		}
		taking := store.Taking{Step: step.step, Action: history.Action(step.step), Actor: p.agent.Name, Tell: []string{before.Agent, before.Reviewer}}
		for _, score := range before.Scores {
			taking.Tell = append(taking.Tell, score.By)
		}
		taking.Tell = slices.DeleteFunc(taking.Tell, func(name string) bool { return name == "" })
		_, fresh, err := u.ChangeCase(ctx, row.CaseID, taking, func(c *store.Case) error {
			now, _, err := judgementOf(ctx, u.Queries, p, id)
			if err != nil {
				return err
			}
			if refused := step.may(now); refused != nil {
				return refuse(refused)
			}
			return step.take(ctx, u, row, c)
		})
		if err != nil {
			return err
		}
		if out.Body, _, err = judgementOf(ctx, u.Queries, p, id); err != nil || fresh {
			return err
		}
		if refused := step.may(out.Body); refused != nil {
			return refuse(refused)
		}
		return refusal(http.StatusConflict, "TryAgain", "somebody has just done it")
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func refuse(why *quality.Refusal) error {
	status := http.StatusConflict
	if why.Forbidden {
		status = http.StatusForbidden
	}
	return refusal(status, why.Reason, "%s", why.Text)
}

func person(p *principal) quality.Person {
	return quality.Person{Name: p.agent.Name, Supervises: p.supervises(), Admin: p.agent.Spec.Role == yingdav1.RoleAdmin}
}

func scoreOf(u *store.Unit, c *store.Case, p *principal, round int16, a Aspects, comment string) db.QualityScoreAddParams {
	return db.QualityScoreAddParams{
		CaseID: c.ID, Round: round, Judge: p.agent.Name, ScriptNorms: a.ScriptNorms, Attitude: a.Attitude, Expertise: a.Expertise,
		Comment: comment, ScoredAt: u.Now,
	}
}

// errNoJudgement says that a conversation is not judged, or that it is no business of who asks.
func errNoJudgement() error {
	return refusal(http.StatusNotFound, "NoJudgement", "the conversation is not judged")
}

// judgementOf is the judgement of a conversation, for supervisors and for who had the conversation.
func judgementOf(ctx context.Context, queries *db.Queries, p *principal, id uuid.UUID) (store.Judgement, db.QualityReview, error) {
	row, err := queries.QualityReviewOf(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !p.supervises() && row.QualityReview.Agent != p.agent.Name {
		return store.Judgement{}, db.QualityReview{}, errNoJudgement()
	}
	if err != nil {
		return store.Judgement{}, db.QualityReview{}, fmt.Errorf("reading a judgement: %w", err)
	}
	scores, err := queries.QualityScores(ctx, []string{row.QualityReview.CaseID})
	if err != nil {
		return store.Judgement{}, db.QualityReview{}, fmt.Errorf("reading scores: %w", err)
	}
	return store.JudgementView(row.QualityReview, row.ServiceCase, scores), row.QualityReview, nil
}
