package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// hasOpened says whether a case was opened by a link: it stays its customer's way there when it is too old for an application.
func (d *Desk) hasOpened(ctx context.Context, queries *db.Queries, link formlink.Link) (bool, error) {
	_, err := queries.CaseGet(ctx, d.caseOfLink(link))
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a form's case: %w", err)
	}
	return true, nil
}

// showProgress shows how the link's case stands, what its customer may do with it now, and what was wrong with what they filled in.
func (d *Desk) showProgress(w http.ResponseWriter, r *http.Request, c db.Conversation, opened store.Case, wrong problems, values map[string]string) {
	inside, err := store.AfterSalesOf(opened)
	if err != nil {
		d.formFailed(w, r, err)
		return
	}
	view := formView{
		Heading: "申请已提交", Progress: inquiry.Text([]inquiry.Case{{AfterSales: &inside, Due: opened.Due}}, d.Now(), d.formClock(c)),
		Acts: map[string]bool{}, Key: uuid.NewString(), Values: values, Ongoing: !inside.State.Ended(),
	}
	if inside.State.Ended() || inside.State == aftersales.StateEvidence {
		view.Progress = inside.LastWords(d.formClock(c))
	}
	switch {
	case inside.Content != nil && !*inside.Content:
		view.Heading, view.Progress = "已收到您的反馈", "很抱歉没有解决您的问题,客服会尽快与您联系。"
	case inside.State != aftersales.StateReview:
		view.Heading = inside.StateName()
	}
	if most := inside.Decision.FreightLimit(); most > 0 {
		view.Freight = strconv.FormatFloat(float64(most)/100, 'f', -1, 64)
	}
	for _, action := range inside.Allowed(aftersales.ByCustomer) {
		view.Acts[string(action)] = true
	}
	status := http.StatusOK
	for _, text := range wrong {
		view.Problem, status = text, http.StatusUnprocessableEntity
	}
	d.renderForm(w, status, view)
}

// toProgress leads the browser from what was handed in to how the case stands.
func toProgress(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, formlink.Path+r.PathValue("token"), http.StatusSeeOther) //nolint:gosec // A path of ours, and the token was found to be ours.
}

// takeAct does with the link's case what its customer wants, if nothing is wrong with the form.
func (d *Desk) takeAct(w http.ResponseWriter, r *http.Request, link formlink.Link, c db.Conversation, f filledForm, wrong error) {
	// The time that the body took is not that of the work.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	id := d.caseOfLink(link)
	if wrong == nil {
		wrong = formProblem(d.actByForm(ctx, id, link, c, f))
	}
	var told *formError
	switch {
	case wrong == nil, errors.Is(wrong, pgx.ErrNoRows):
		toProgress(w, r)
	case errors.As(wrong, &told):
		opened, err := d.Store.Queries().CaseGet(ctx, id)
		if err != nil {
			d.formFailed(w, r, err)
			return
		}
		d.showProgress(w, r, c, store.CaseView(opened), told.problems, f.values)
	default:
		d.formFailed(w, r, wrong)
	}
}

// actByForm does it, once for each page that was shown; what is filled in otherwise on the same page is something else.
func (d *Desk) actByForm(ctx context.Context, id string, link formlink.Link, c db.Conversation, f filledForm) error {
	act := aftersales.Act{
		By: aftersales.ByCustomer, Action: aftersales.Action(f.values["action"]), Note: f.values["note"], Carrier: f.values["carrier"], Tracking: f.values["tracking"],
	}
	if text := f.values["freight"]; text != "" {
		paid, err := fenOf(text)
		if err != nil {
			return &aftersales.RefusalError{Reason: "BadFreight"}
		}
		act.FreightAmount = &paid
	}
	content := fmt.Appendf(nil, "%q %q %q %q %q %q", f.values["key"], act.Action, act.Note, act.Carrier, act.Tracking, f.values["freight"])
	for _, sent := range f.files() {
		content = append(content, sent.sum[:]...)
	}
	once := uuid.NewSHA1(link.ID, content)
	act.ID = once.String()
	return d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) (err error) {
		if act.Action == aftersales.ActionAddEvidence { // Files that belong to nothing are not kept.
			if _, err := u.ConversationForUpdate(ctx, c.ID); err != nil {
				return fmt.Errorf("locking a conversation: %w", err)
			}
			if act.Evidence, err = keepFiles(ctx, u, linkTo(c), once, f.files()); err != nil {
				return err
			}
		}
		_, _, err = u.ActOnAfterSales(ctx, id, act, d.Catalog.Snapshot().GroupAgents)
		return err
	})
}
