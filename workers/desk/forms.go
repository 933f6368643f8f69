package desk

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxPhotos of a form, each of at most maxUpload bytes, and a video of at most maxVideo, which is the most that media keep; maxForm is
	// the largest body.
	maxPhotos = 6
	maxVideo  = 20 << 20
	maxField  = 4 << 10
	maxForm   = maxPhotos*maxUpload + maxVideo + maxBody
	// maxKept is how many bytes of files are kept of one customer's forms within keptWithin.
	maxKept    = 64 << 20
	keptWithin = 24 * time.Hour
	// maxParts of a body, its end among them, each with a header of at most maxHeader; sniffed is how much of a file shows what it is.
	maxParts  = 41
	maxHeader = 16 << 10
	sniffed   = 512
	// maxItem and maxDescription are in characters.
	maxItem        = 100
	maxDescription = 500
	// maxForms bounds the memory of the files of all forms that are on their way. A form with any takes baseForm of it, for the first piece of a
	// video and the next one, and then what each photo needs; one without takes none, for it needs no more than a page does.
	maxForms = 64 << 20
	baseForm = 2 * copies * pieceSize
	// formInterval is how often somebody may hand something in, formTimeout how long a telephone may take to send it.
	formInterval = 2 * time.Second
	formTimeout  = 3 * time.Minute
)

//go:embed form.html
var formPage string

// formView is what the page of a form shows.
type formView struct {
	Brand string
	// Progress, under its Heading, is set once the form was handed in; Refused where it cannot be.
	Heading, Progress, Refused string
	// Acts are what the customer may do with the case now, by action; Key, one for each time it is shown, keeps them from being done twice.
	Acts map[string]bool
	Key  string
	// Freight is the most in yuan that the customer is paid back of the way back; empty where that is not the seller's.
	Freight string
	// Look says that what was handed in a moment ago may have been taken.
	Look bool
	// Ongoing says that the case has not ended.
	Ongoing bool
	// Mails says whether the Brand has a mail server, without which no address is asked for.
	Mails bool
	// Insures says whether the freight of insured orders is claimed, without which nobody is asked for the insurance.
	Insures bool
	// Problem says why nothing was taken, Problems, by field, what to put right.
	Problem  string
	Problems problems
	Values   map[string]string
	// Today is the last day of delivery that there can be.
	Today   string
	Kinds   []choice
	Reasons []choice
	// Expires is until when it can be handed in.
	Expires string
}

type choice struct{ Value, Name string }

type formLinkInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key uuid.UUID `json:"key" doc:"Made by the client for this link; sending it again with the same key sends one."`
	}
}

func (d *Desk) formRoutes(api huma.API, mux *http.ServeMux) {
	handle(d, api, huma.Operation{
		OperationID: "send-after-sales-form", Method: http.MethodPost, Path: "/api/conversations/{id}/after-sales-form", Tags: []string{"cases"},
		Summary: "Send the customer a link to the form by which they apply for after-sales themselves; it takes an application for 24 hours, opens one case and leads there from then on",
		Description: "The address is under the Brand's spec.desk.formsURL, or else where this request came in. Of the desk's paths only /forms/ has to be " +
			"reached by customers.",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422},
	}, d.sendForm)
	mux.HandleFunc("GET "+formlink.Path+"{token}", d.showForm)
	mux.HandleFunc("POST "+formlink.Path+"{token}", d.takeForm)
}

// sendForm says a link to the customer, as the agent.
func (d *Desk) sendForm(ctx context.Context, p *principal, in *formLinkInput) (*sayOutput, error) {
	c, err := visible(p, func() (db.Conversation, error) { return d.Store.Queries().ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	key, err := d.formKey.get(ctx, d.Store.Queries())
	if err != nil {
		return nil, err
	}
	link := formlink.Link{
		Expires: d.Now().Add(formlink.Lasts), Conversation: c.ID, ID: uuid.NewSHA1(c.ID, fmt.Appendf(nil, "form/%s/%s", p.agent.Name, in.Body.Key)),
	}
	said := &sayInput{ID: in.ID}
	said.Body.Key = in.Body.Key
	said.Body.Content = NewContent{Kind: string(message.KindLink), Link: &NewLink{
		Title: "申请售后", Description: "点击填写售后申请,24 小时内有效", URL: key.Address(d.formsOrigin(ctx), link, linkTo(c)),
	}}
	return d.say(ctx, p, said)
}

// formsOrigin is where customers reach the desk's forms.
func (d *Desk) formsOrigin(ctx context.Context) string {
	if brand := d.Catalog.Snapshot().Brand; brand != nil && brand.Spec.Desk.FormsURL != "" {
		return brand.Spec.Desk.FormsURL
	}
	v := visitOf(ctx)
	if v.secure {
		return "https://" + v.host
	}
	return "http://" + v.host
}

// showForm shows the form, or, when it was handed in, how the case stands.
func (d *Desk) showForm(w http.ResponseWriter, r *http.Request) {
	link, c, ok := d.entered(w, r)
	if !ok {
		return
	}
	opened, err := d.Store.Queries().CaseGet(r.Context(), d.caseOfLink(link))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		// Kept by the browser, so that who goes back to it finds what they typed; it shows nothing of anybody.
		w.Header().Set("Cache-Control", "private, no-cache")
		d.renderForm(w, http.StatusOK, d.blankForm(link, c))
	case err != nil:
		d.formFailed(w, r, fmt.Errorf("looking for a form's case: %w", err))
	default:
		d.showProgress(w, r, c, store.CaseView(opened), nil, nil)
	}
}

// entered opens the link of a request; where it opens nothing the answer is written.
func (d *Desk) entered(w http.ResponseWriter, r *http.Request) (link formlink.Link, c db.Conversation, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	link, c, err := d.openLink(r.Context(), r.PathValue("token"))
	switch {
	case err == nil:
		return link, c, true
	case errors.Is(err, errLinkExpired):
		opened, err := d.hasOpened(r.Context(), d.Store.Queries(), link)
		if err != nil {
			d.formFailed(w, r, err)
			break
		}
		if opened {
			return link, c, true
		}
		d.refuseUnread(w, r, http.StatusGone, formView{Refused: "链接已过期,请联系客服重新获取。"})
	case errors.Is(err, formlink.ErrNone):
		// A link that works is never held up by those that do not.
		if wait, ok := d.failures.failed(r.RemoteAddr); !ok {
			w.Header().Set("Retry-After", (&tooManyError{wait}).seconds())
			d.renderForm(w, http.StatusTooManyRequests, formView{Refused: "尝试次数过多,请稍后再试。"})
			break
		}
		d.renderForm(w, http.StatusNotFound, formView{Refused: "链接无效,请联系客服重新获取。"})
	default:
		d.formFailed(w, r, err)
	}
	return link, c, false
}

func (d *Desk) formFailed(w http.ResponseWriter, r *http.Request, err error) {
	_ = d.unexpected(r.Context(), "after-sales-form", err) // What it may tell an agent is no word for a customer.
	text := "系统繁忙,请稍后重试。"
	if r.Method == http.MethodPost { // The page before is where it can be handed in again.
		text = "系统繁忙,请返回上一页,稍后再提交。"
	}
	d.refuseUnread(w, r, http.StatusServiceUnavailable, formView{Refused: text})
}

func (d *Desk) caseOfLink(link formlink.Link) string {
	return promise.AfterSalesID(d.Names.Namespace, d.Names.Brand, link.ID)
}

func (d *Desk) blankForm(link formlink.Link, c db.Conversation) formView {
	zone := d.formClock(c)
	terms, _ := d.Catalog.Snapshot().AfterSales(c.Channel, c.SkillGroup)
	return formView{
		Insures: terms.Policy.FreightInsurance,
		Expires: link.Expires.In(zone).Format("1月2日 15:04"), Today: d.Now().In(zone).Format(time.DateOnly),
		Kinds: []choice{
			{string(aftersales.Return), "退货退款"}, {string(aftersales.Exchange), "换货"}, {string(aftersales.RefundOnly), "仅退款"}, {string(aftersales.Reissue), "补发"},
		},
		Reasons: []choice{
			{string(aftersales.NoReason), "七天无理由"},
			{string(aftersales.Quality), "质量问题"},
			{string(aftersales.WrongItem), "发错货"},
			{string(aftersales.MissingItem), "少发、漏发"},
			{string(aftersales.Damaged), "收到时破损"},
			{string(aftersales.Other), "其他"},
		},
	}
}

// formClock is where the customer's group has its clock.
func (d *Desk) formClock(c db.Conversation) *time.Location {
	_, zone, err := d.hoursOf(c.SkillGroup)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (d *Desk) renderForm(w http.ResponseWriter, status int, view formView) {
	if brand := d.Catalog.Snapshot().Brand; brand != nil {
		view.Brand, view.Mails = brand.Spec.DisplayName, brand.Spec.Mail != nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := d.forms.Execute(w, view); err != nil {
		d.Logger.Debug("A form was not sent to its end", "error", err)
	}
}

// newForms compiles the page.
func newForms() (*template.Template, error) {
	forms, err := template.New("form").Parse(formPage)
	if err != nil {
		return nil, fmt.Errorf("reading the page of forms: %w", err)
	}
	return forms, nil
}

// takeForm opens the case that the customer asks for, or does with it what they want then; the link opens one.
func (d *Desk) takeForm(w http.ResponseWriter, r *http.Request) {
	link, c, ok := d.entered(w, r)
	if !ok {
		return
	}
	if !visitOf(r.Context()).alone(d.filling, linkTo(c)) || !d.handedIn.first(linkTo(c)) {
		w.Header().Set("Retry-After", strconv.Itoa(int(formInterval/time.Second)))
		d.refuseUnread(w, r, http.StatusTooManyRequests, formView{Refused: "您刚刚提交过,正在处理,请稍候查看结果;没有收到的,请过一分钟再提交。", Look: true})
		return
	}
	files, err := d.wantedFiles(r.Context(), link)
	if err != nil {
		d.formFailed(w, r, err)
		return
	}
	defer files.memory.giveBackAll()
	takesItsTime(w)
	filled, err := readForm(w, r, files)
	defer d.dropPieces(r.Context(), filled.video)
	if errors.Is(err, errBusy) {
		d.refuseUnread(w, r, http.StatusServiceUnavailable, formView{Refused: "现在提交的人较多,请返回上一页,稍后再提交。"})
		return
	}
	if filled.values["action"] != "" {
		d.takeAct(w, r, link, c, filled, err)
		return
	}
	again := d.blankForm(link, c)
	again.Values = filled.values
	var wrong *formError
	if errors.As(err, &wrong) {
		// What is wrong beside the photos is told at once, too.
		_, also := filled.application(d.formClock(c), d.Now())
		d.refuseForm(w, again, wrong, also)
		return
	}
	if err != nil {
		d.formFailed(w, r, err)
		return
	}
	// The time that the body took is not that of the work.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	switch err := d.applyByForm(ctx, link, c, filled); {
	case errors.As(err, &wrong):
		d.refuseForm(w, again, wrong, nil)
	case err != nil:
		_ = d.unexpected(ctx, "after-sales-form", err) // What it may tell an agent is no word for a customer.
		again.Problem = "系统繁忙,请稍后重新提交。"
		d.renderForm(w, http.StatusServiceUnavailable, again)
	default:
		toProgress(w, r)
	}
}

// takesItsTime leaves a telephone far from everything the time that it takes; a ResponseWriter without deadlines is a test's.
func takesItsTime(w http.ResponseWriter) {
	now := time.Now() //nolint:forbidigo // The network knows the machine's clock only.
	_ = http.NewResponseController(w).SetReadDeadline(now.Add(formTimeout))
	_ = http.NewResponseController(w).SetWriteDeadline(now.Add(formTimeout + 2*requestTimeout))
}

// refuseUnread refuses a form of which nothing was kept. It is read to its end all the same: a browser whose connection is closed while
// it sends shows nothing of the answer.
func (d *Desk) refuseUnread(w http.ResponseWriter, r *http.Request, status int, why formView) {
	takesItsTime(w)
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxForm))
	d.renderForm(w, status, why)
}

// refuseForm shows the form as it was filled in, with what to put right at its field.
func (d *Desk) refuseForm(w http.ResponseWriter, again formView, wrong *formError, also error) {
	again.Problems = wrong.problems
	if more, ok := errors.AsType[*formError](also); ok {
		for field, text := range more.problems {
			again.Problems.of(field, text)
		}
	}
	again.Problem = cmp.Or(again.Problems[""], "请改正标出的内容后重新提交。")
	d.renderForm(w, http.StatusUnprocessableEntity, again)
}

// applyByForm opens the link's case, unless it is open already.
func (d *Desk) applyByForm(ctx context.Context, link formlink.Link, c db.Conversation, f filledForm) error {
	application, err := f.application(d.formClock(c), d.Now())
	if err != nil {
		return err
	}
	id := d.caseOfLink(link)
	err = d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		locked, err := u.ConversationForUpdate(ctx, c.ID)
		if err != nil {
			return fmt.Errorf("locking a conversation: %w", err)
		}
		if opened, err := d.hasOpened(ctx, u.Queries, link); err != nil || opened {
			return err
		}
		if application.Evidence, err = keepFiles(ctx, u, linkTo(locked), link.ID, f.files()); err != nil {
			return err
		}
		group := locked.SkillGroup
		if group == "" {
			group = d.Catalog.Snapshot().DefaultGroup()
		}
		_, err = d.apply(ctx, u, applicant{
			id: id, application: application, conversation: &locked.ID, channel: locked.Channel, customer: locked.ExternalID, tier: locked.Tier, group: group,
		}, aftersales.ByCustomer)
		return err
	})
	return formProblem(err)
}
