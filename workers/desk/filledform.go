package desk

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

// problems say to the customer what to put right, by field.
type problems map[string]string

// of is for fields of which only the first problem is told.
func (p problems) of(field, text string) {
	if _, told := p[field]; !told {
		p[field] = text
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &formError{p}
}

// formError says to the customer what is wrong.
type formError struct{ problems problems }

// wrongFile is what is wrong with the photos or with the video.
func wrongFile(field, text string) error { return &formError{problems{field: text}} }

func (e *formError) Error() string { return "the form is filled in wrongly" }

// filledForm is what a customer handed in.
type filledForm struct {
	values map[string]string
	photos []file
	video  *file
}

// files are all that came with it.
func (f *filledForm) files() []file {
	if f.video == nil {
		return f.photos
	}
	return append(slices.Clone(f.photos), *f.video)
}

// readForm reads a body of bounded size to its end, whatever is wrong with a photo. What is there is returned with the error, so that
// nobody has to write it again, and what was kept of a video can be let go of.
func readForm(w http.ResponseWriter, r *http.Request, files *fileIntake) (filledForm, error) {
	f := filledForm{values: map[string]string{}}
	body := &bounded{ReadCloser: http.MaxBytesReader(w, r.Body, maxForm)}
	r.Body = body
	parts, err := r.MultipartReader()
	if err != nil {
		return f, &formError{problems{"": "提交的内容无法识别,请重新填写。"}}
	}
	var first error
	for range maxParts {
		body.left = maxHeader
		part, err := parts.NextPart()
		body.left = maxForm
		if errors.Is(err, io.EOF) {
			return f, first
		}
		if err == nil {
			err = f.take(part, files)
			_, _ = io.Copy(io.Discard, part) // Not to count with the next header; an error comes again there.
		}
		var wrong *formError
		var notKept *notKeptError
		switch {
		case errors.As(err, &wrong):
			first = cmp.Or(first, err)
		case errors.As(err, &notKept), errors.Is(err, errBusy):
			return f, err
		case err != nil:
			return f, cmp.Or(first, wrongFile("photos", "文件过大或网络中断,照片每张最多 2 MB,视频最多 20 MB,请重新选择。"))
		}
	}
	_, _ = io.Copy(io.Discard, body)
	return f, cmp.Or[error](first, &formError{problems{"": "提交的内容无法识别,请重新填写。"}})
}

// bounded is a body of which a part's header may take only what is left: multipart itself would keep 10 MiB of it.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(into []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the header of a part is too long")
	}
	n, err := b.ReadCloser.Read(into[:min(int64(len(into)), b.left)])
	b.left -= int64(n)
	return n, err //nolint:wrapcheck // Readers look for io.EOF itself.
}

func (f *filledForm) take(part *multipart.Part, files *fileIntake) error {
	switch name := part.FormName(); name {
	case "order", "kind", "reason", "paid", "amount", "delivered", "item", "description", "email", "insured", // An application.
		"action", "key", "carrier", "tracking", "freight", "note": // What is done with a case.
		content, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			return fmt.Errorf("reading a field: %w", err)
		}
		// A line's end counts as the browser counted it; Postgres keeps no text with a zero.
		lines := strings.NewReplacer("\r\n", "\n", "\x00", "")
		f.values[name] = strings.ToValidUTF8(lines.Replace(strings.TrimSpace(string(content))), "")
		return nil
	case "photos", "video":
		if !files.wanted || f.values["action"] != string(files.action) {
			return nil
		}
		// What it is shows at its beginning, before there is memory for the rest.
		begin, err := fill(make([]byte, sniffed), part)
		if err != nil || len(begin) == 0 { // An input in which nothing was chosen.
			return err
		}
		if files.memory.held == 0 {
			if err := files.memory.take(baseForm); err != nil {
				return err
			}
		}
		whole := io.MultiReader(bytes.NewReader(begin), part)
		if name == "video" {
			return f.takeVideo(begin, whole, files.keep)
		}
		return f.takePhoto(begin, whole, &files.memory)
	default:
		return nil // Nobody asked for it.
	}
}

// application is what the customer wants, as far as the form says; its error says all that can be told without the rules.
func (f *filledForm) application(zone *time.Location, now time.Time) (aftersales.Application, error) {
	wrong := problems{}
	a := aftersales.Application{
		Kind: aftersales.Kind(f.values["kind"]), Reason: aftersales.Reason(f.values["reason"]), Description: f.values["description"], Source: aftersales.FromCustomer,
		Contact: aftersales.Contact{Email: f.values["email"]},
		Order:   aftersales.Order{Number: aftersales.OrderNumber(f.values["order"]), Currency: "CNY", FreightInsured: f.values["insured"] != ""},
	}
	var err error
	if a.Order.Paid, err = fenOf(f.values["paid"]); err != nil {
		wrong.of("paid", "请填写实付金额,例如 99.00。")
	}
	if text := f.values["amount"]; text != "" {
		if a.Amount, err = fenOf(text); err != nil {
			wrong.of("amount", "请检查退款金额,例如 99.00。")
		}
	}
	if text := f.values["delivered"]; text != "" {
		switch day, err := time.ParseInLocation(time.DateOnly, text, zone); {
		case err != nil:
			wrong.of("delivered", "请检查签收日期。")
		case day.After(now):
			wrong.of("delivered", wordsOf("BadDelivery").text)
		default:
			a.Order.DeliveredAt = day.Add(12 * time.Hour)
		}
	}
	if a.Order.DeliveredAt.IsZero() && (a.Kind == aftersales.Return || a.Kind == aftersales.Exchange) {
		wrong.of("delivered", "退货和换货请填写签收日期;还没有签收请选择「仅退款」。")
	}
	if name := f.values["item"]; name != "" {
		a.Order.Items = []aftersales.Item{{Name: name}}
	}
	for field, most := range map[string]int{"item": maxItem, "description": maxDescription} {
		if len([]rune(f.values[field])) > most {
			wrong.of(field, fmt.Sprintf("内容过长,最多 %d 字。", most))
		}
	}
	if err := wrong.err(); err != nil {
		return a, err
	}
	return a, formProblem(a.Check())
}

// amounts are as people write them: 1e3 is none.
var amounts = regexp.MustCompile(`^¥?(\d{1,9}(?:\.\d{1,2})?)$`)

func fenOf(yuan string) (int64, error) {
	amount := amounts.FindStringSubmatch(yuan)
	if amount == nil {
		return 0, errors.New("no amount")
	}
	value, err := strconv.ParseFloat(amount[1], 64)
	if err != nil {
		return 0, fmt.Errorf("reading an amount: %w", err)
	}
	return int64(math.Round(value * 100)), nil
}

// formProblem is what the rules refuse, in the customer's language; another error is left as it is.
func formProblem(err error) error {
	var reason string
	if refused, ok := errors.AsType[*huma.ErrorModel](err); ok {
		reason = strings.TrimPrefix(refused.Type, problemType)
	} else if refused, ok := errors.AsType[*aftersales.RefusalError](err); ok {
		reason = refused.Reason
	} else {
		return err
	}
	wrong := wordsOf(reason)
	return &formError{problems{wrong.field: wrong.text}}
}

// fieldProblem is a problem at its field.
type fieldProblem struct{ field, text string }

// wordsOf are those for a refusal of the rules.
func wordsOf(reason string) fieldProblem {
	switch reason {
	case "UnknownKind":
		return fieldProblem{"kind", "请选择申请类型。"}
	case "UnknownReason":
		return fieldProblem{"reason", "请选择原因。"}
	case "OrderMissing":
		return fieldProblem{"order", "请填写订单号,最多 64 个字符,只能有字母、数字、汉字和 -_./#,中间不要有空格。"}
	case "AmountMissing":
		return fieldProblem{"paid", "请填写实付金额,例如 99.00。"}
	case "AmountTooHigh":
		return fieldProblem{"amount", "退款金额不能超过实付金额。"}
	case "BadDelivery":
		return fieldProblem{"delivered", "签收日期不能晚于今天,还没有签收请不填。"}
	case "WrongState", "UnderWay", "NotYours":
		return fieldProblem{"", "现在不能进行这项操作,请查看最新进度。"}
	case "TooLong":
		return fieldProblem{"description", "内容过长,或照片、视频超过 20 份,请精简后再提交。"}
	case "EvidenceMissing":
		return fieldProblem{"photos", "请选择照片或视频。"}
	case "TrackingMissing":
		return fieldProblem{"tracking", "请填写运单号。"}
	case "BadFreight":
		return fieldProblem{"freight", "请检查运费金额,例如 12.00。"}
	case "BadEmail":
		return fieldProblem{"email", "请检查邮箱,例如 name@example.com。"}
	default:
		return fieldProblem{"description", "请检查填写的内容。"}
	}
}
