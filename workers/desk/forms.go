package desk

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	formPath = "/forms/after-sales/"
	// maxPhotos of a form, each of at most maxUpload bytes; maxForm is the largest body.
	maxPhotos = 6
	maxField  = 4 << 10
	maxForm   = maxPhotos*maxUpload + maxBody
	// maxForms bounds the memory of all forms that are on their way.
	maxForms = 64 << 20
	// formInterval is how often a link may be used to hand something in.
	formInterval = 2 * time.Second
)

//go:embed form.html
var formPage string

// formView is what the page of a form shows.
type formView struct {
	Brand string
	// Progress is set once the form was handed in, Closed where it cannot be.
	Progress, Closed string
	// Problem says what to put right.
	Problem string
	Values  map[string]string
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
		Summary: "Send the customer a link to the form by which they apply for after-sales themselves; it works for 24 hours and opens one case",
		Description: "The address is under the Brand's spec.desk.formsURL, or else where this request came in. Of the desk's paths only /forms/ has to be " +
			"reached by customers.",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422},
	}, d.sendForm)
	mux.HandleFunc("GET "+formPath+"{token}", d.showForm)
	mux.HandleFunc("POST "+formPath+"{token}", d.takeForm)
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
	link := formLink{Expires: d.Now().Add(linkFor), Conversation: c.ID, ID: uuid.NewSHA1(c.ID, fmt.Appendf(nil, "form/%s/%s", p.agent.Name, in.Body.Key))}
	said := &sayInput{ID: in.ID}
	said.Body.Key = in.Body.Key
	said.Body.Content = NewContent{Kind: string(message.KindLink), Link: &NewLink{
		Title: "申请售后", Description: "点击填写售后申请,24 小时内有效", URL: d.formsOrigin(ctx) + formPath + link.token(key, c.Channel, c.ExternalID),
	}}
	return d.say(ctx, p, said)
}

// formsOrigin is where customers reach the desk's forms.
func (d *Desk) formsOrigin(ctx context.Context) string {
	if brand := d.Catalog.Snapshot().Brand; brand != nil && brand.Spec.Desk.FormsURL != "" {
		return strings.TrimSuffix(brand.Spec.Desk.FormsURL, "/")
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
		d.renderForm(w, http.StatusOK, d.blankForm(link, c))
	case err != nil:
		d.formFailed(w, r, fmt.Errorf("looking for a form's case: %w", err))
	default:
		d.showProgress(w, r, c, store.CaseView(opened))
	}
}

// entered opens the link of a request; where it opens nothing the answer is written.
func (d *Desk) entered(w http.ResponseWriter, r *http.Request) (link formLink, c db.Conversation, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	link, c, err := d.openLink(r.Context(), r.PathValue("token"))
	switch {
	case err == nil:
		return link, c, true
	case errors.Is(err, errLinkExpired):
		d.renderForm(w, http.StatusGone, formView{Closed: "链接已过期,请联系客服重新获取。"})
	case errors.Is(err, errNoLink):
		// A link that works is never held up by those that do not.
		if wait, ok := d.failures.failed(r.RemoteAddr); !ok {
			w.Header().Set("Retry-After", (&tooManyError{wait}).seconds())
			d.renderForm(w, http.StatusTooManyRequests, formView{Closed: "尝试次数过多,请稍后再试。"})
			break
		}
		d.renderForm(w, http.StatusNotFound, formView{Closed: "链接无效,请联系客服重新获取。"})
	default:
		d.formFailed(w, r, err)
	}
	return link, c, false
}

func (d *Desk) formFailed(w http.ResponseWriter, r *http.Request, err error) {
	_ = d.unexpected(r.Context(), "after-sales-form", err) // What it may tell an agent is no word for a customer.
	d.renderForm(w, http.StatusServiceUnavailable, formView{Closed: "系统繁忙,请稍后重试。"})
}

func (d *Desk) caseOfLink(link formLink) string {
	return promise.AfterSalesID(d.Names.Namespace, d.Names.Brand, link.ID)
}

func (d *Desk) blankForm(link formLink, c db.Conversation) formView {
	return formView{
		Expires: link.Expires.In(d.formClock(c)).Format("1月2日 15:04"),
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

func (d *Desk) showProgress(w http.ResponseWriter, r *http.Request, c db.Conversation, opened store.Case) {
	inside, err := store.AfterSalesOf(opened)
	if err != nil {
		d.formFailed(w, r, err)
		return
	}
	text := inquiry.Text([]inquiry.Case{{AfterSales: &inside, Due: opened.Due}}, d.Now(), d.formClock(c))
	if inside.State.Ended() || inside.State == aftersales.StateEvidence {
		text = inside.Decision.Customer
	}
	d.renderForm(w, http.StatusOK, formView{Progress: text})
}

func (d *Desk) renderForm(w http.ResponseWriter, status int, view formView) {
	if brand := d.Catalog.Snapshot().Brand; brand != nil {
		view.Brand = brand.Spec.DisplayName
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

// takeForm opens the case that the customer asks for; the link opens one.
func (d *Desk) takeForm(w http.ResponseWriter, r *http.Request) {
	link, c, ok := d.entered(w, r)
	if !ok {
		return
	}
	again := d.blankForm(link, c)
	if !d.handedIn.first(link.ID) {
		w.Header().Set("Retry-After", strconv.Itoa(int(formInterval/time.Second)))
		again.Problem = "提交太快,请稍后再试。"
		d.renderForm(w, http.StatusTooManyRequests, again)
		return
	}
	if err := visitOf(r.Context()).hold(r.Context(), d.formed, formSize(r)); err != nil {
		again.Problem = "现在提交的人较多,请稍后再试。"
		d.renderForm(w, http.StatusServiceUnavailable, again)
		return
	}
	// A telephone far from everything takes its time; a ResponseWriter without deadlines is a test's.
	now := time.Now() //nolint:forbidigo // The network knows the machine's clock only.
	_ = http.NewResponseController(w).SetReadDeadline(now.Add(answerTimeout))
	_ = http.NewResponseController(w).SetWriteDeadline(now.Add(answerTimeout + 2*requestTimeout))
	filled, err := readForm(w, r)
	again.Values = filled.values
	var wrong *formError
	if errors.As(err, &wrong) {
		again.Problem = wrong.text
		d.renderForm(w, http.StatusUnprocessableEntity, again)
		return
	}
	// The time that the body took is not that of the work.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	switch err := d.applyByForm(ctx, link, c, filled); {
	case errors.As(err, &wrong):
		again.Problem = wrong.text
		d.renderForm(w, http.StatusUnprocessableEntity, again)
	case err != nil:
		d.formFailed(w, r, err)
	default:
		http.Redirect(w, r, formPath+r.PathValue("token"), http.StatusSeeOther) //nolint:gosec // A path of ours, and the token was found to be ours.
	}
}

// formSize is the memory that a request may take: what it says, and at most what is read.
func formSize(r *http.Request) int64 {
	if r.ContentLength > 0 {
		return min(r.ContentLength, maxForm)
	}
	return maxForm
}

// formError says to the customer what is wrong.
type formError struct{ text string }

func (e *formError) Error() string { return "the form is filled in wrongly" }

// filledForm is what a customer handed in.
type filledForm struct {
	values map[string]string
	photos []photo
}

type photo struct {
	contentType string
	data        []byte
}

// readForm reads a body of bounded size. What is there is returned with the error, so that nobody has to write it again.
func readForm(w http.ResponseWriter, r *http.Request) (filledForm, error) {
	f := filledForm{values: map[string]string{}}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return f, &formError{"提交的内容无法识别,请重新填写。"}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err == nil {
			err = f.take(part)
		}
		var wrong *formError
		switch {
		case errors.As(err, &wrong):
			return f, wrong
		case err != nil:
			return f, &formError{"照片过大或网络中断,每张最多 2 MB,请重试。"}
		}
	}
}

func (f *filledForm) take(part *multipart.Part) error {
	if part.FormName() != "photos" {
		content, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			return fmt.Errorf("reading a field: %w", err)
		}
		f.values[part.FormName()] = strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(string(content)), "\x00", ""), "")
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(part, maxUpload+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading a photo: %w", err)
	case len(data) == 0:
		return nil // An input in which nothing was chosen.
	case len(data) > maxUpload:
		return &formError{"照片过大,每张最多 2 MB。"}
	case len(f.photos) == maxPhotos:
		return &formError{fmt.Sprintf("最多上传 %d 张照片。", maxPhotos)}
	}
	contentType := http.DetectContentType(data)
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, contentType) {
		return &formError{"只能上传 JPEG、PNG、GIF、WebP 格式的照片。"}
	}
	f.photos = append(f.photos, photo{contentType, data})
	return nil
}

// application is what the customer wants, as far as the form says.
func (f *filledForm) application(zone *time.Location) (aftersales.Application, error) {
	a := aftersales.Application{
		Kind: aftersales.Kind(f.values["kind"]), Reason: aftersales.Reason(f.values["reason"]), Description: f.values["description"], Source: aftersales.FromCustomer,
		Order: aftersales.Order{Number: f.values["order"], Currency: "CNY"},
	}
	var err error
	if a.Order.Paid, err = fenOf(f.values["paid"]); err != nil {
		return a, &formError{"请填写实付金额,例如 99.00。"}
	}
	if text := f.values["amount"]; text != "" {
		if a.Amount, err = fenOf(text); err != nil {
			return a, &formError{"请检查退款金额,例如 99.00。"}
		}
	}
	if text := f.values["delivered"]; text != "" {
		day, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			return a, &formError{"请检查签收日期。"}
		}
		a.Order.DeliveredAt = day.Add(12 * time.Hour)
	}
	if name := f.values["item"]; name != "" {
		a.Order.Items = []aftersales.Item{{Name: name}}
	}
	return a, nil
}

func fenOf(yuan string) (int64, error) {
	value, err := strconv.ParseFloat(strings.TrimPrefix(yuan, "¥"), 64)
	if err != nil || math.IsNaN(value) || value < 0 || value > 1e9 {
		return 0, errors.New("no amount")
	}
	return int64(math.Round(value * 100)), nil
}

// applyByForm opens the link's case, unless it is open already.
func (d *Desk) applyByForm(ctx context.Context, link formLink, c db.Conversation, f filledForm) error {
	application, err := f.application(d.formClock(c))
	if err != nil {
		return err
	}
	id := d.caseOfLink(link)
	err = d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		locked, err := u.ConversationForUpdate(ctx, c.ID)
		if err != nil {
			return fmt.Errorf("locking a conversation: %w", err)
		}
		if _, err := u.CaseGet(ctx, id); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		application.Evidence = nil // The unit may run again.
		for i, p := range f.photos {
			file := uuid.NewSHA1(link.ID, []byte{byte(i)})
			err := u.FormFileAdd(ctx, db.FormFileAddParams{
				ID: file, Channel: locked.Channel, Source: "form/" + link.ID.String(), ContentType: p.contentType, Data: p.data, At: u.Now,
			})
			if err != nil {
				return fmt.Errorf("keeping a photo: %w", err)
			}
			application.Evidence = append(application.Evidence, aftersales.Evidence{Media: file})
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
	if refused, ok := errors.AsType[*huma.ErrorModel](err); ok {
		return &formError{formProblem(refused)}
	}
	return err
}

// formProblem is what the rules refuse, in the customer's language.
func formProblem(refused *huma.ErrorModel) string {
	switch strings.TrimPrefix(refused.Type, "urn:yingda:problem:") {
	case "OrderMissing":
		return "请填写订单号,最多 64 个字符。"
	case "AmountMissing":
		return "请填写实付金额,例如 99.00。"
	case "AmountTooHigh":
		return "退款金额不能超过实付金额。"
	case "TooLong":
		return "内容过长:说明最多 500 字,商品名称最多 100 字。"
	default:
		return "请检查填写的内容。"
	}
}
