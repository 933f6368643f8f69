package router

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
)

const forms = "https://service.lumi.example"

// leads has the Playbook lead customers to their form; origin is where they reach it.
func leads(origin string) func([]client.Object) {
	return func(objects []client.Object) {
		for _, object := range objects {
			switch o := object.(type) {
			case *yingdav1.Brand:
				o.Spec.Desk.FormsURL = origin
			case *yingdav1.Playbook:
				o.Spec.Texts.OffHours = "休息中。{{if .AfterSalesForm}}可先申请:{{.AfterSalesForm}}{{end}}"
				o.Spec.Rules = append(o.Spec.Rules, yingdav1.PlaybookRule{
					Name: "apply", Match: yingdav1.PlaybookMatch{Keywords: []string{"申请售后"}},
					Reply: &yingdav1.BotReply{Text: "{{.Brand}}售后申请:", Link: &yingdav1.BotLink{Title: "申请售后", URL: "{{.AfterSalesForm}}"}},
				})
				o.Spec.FAQ = append(o.Spec.FAQ, yingdav1.FAQEntry{Name: "exchange", Question: "怎么换货", Answer: "请填写:{{.AfterSalesForm}}", Topic: "after-sales"})
			}
		}
	}
}

// links replaces the addresses of forms in what was said, and returns them.
func (s *seen) links() (links []string) {
	address := regexp.MustCompile(regexp.QuoteMeta(forms+formlink.Path) + "[A-Za-z0-9_-]+")
	for i, said := range s.Said {
		links = append(links, address.FindAllString(said, -1)...)
		s.Said[i] = address.ReplaceAllString(said, "<form>")
	}
	return links
}

func TestTheBotLeadsCustomersToTheirForm(t *testing.T) {
	for sentence, tt := range map[string]struct {
		origin string
		closed bool
		writes string
		want   seen
	}{
		"by a rule": {
			origin: forms + "/", writes: "我要申请售后",
			want: seen{State: "bot", Heard: []string{"我要申请售后"}, Said: []string{"露米售后申请:", "<form>"}},
		},
		"by the FAQ": {
			origin: forms, writes: "怎么换货",
			want: seen{State: "bot", Topic: "after-sales", Heard: []string{"怎么换货"}, Said: []string{"请填写:<form>"}},
		},
		"while nobody serves": {
			origin: forms, closed: true, writes: "在吗",
			want: seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗"}, Said: []string{"休息中。可先申请:<form>"}},
		},
		"by no rule where nobody reaches forms: a human does": {
			writes: "我要申请售后",
			want:   seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"我要申请售后"}},
		},
		"by no entry of the FAQ where nobody reaches forms: a human of its topic does": {
			writes: "怎么换货",
			want:   seen{State: "assigned", Group: "after-sales", Rule: "after-sales", Topic: "after-sales", Agent: "xiaomei", Heard: []string{"怎么换货"}},
		},
		"by no text where nobody reaches forms": {
			closed: true, writes: "在吗",
			want: seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗"}, Said: []string{"休息中。"}},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := newWorld(t, leads(tt.origin))
			w.FormKey = formlink.Key("a key of thirty-two bytes, or so")
			if tt.closed {
				w.now = w.now.Add(10 * time.Hour)
			}
			w.writes("c", tt.writes)
			got := w.sees("c")
			for _, link := range got.links() {
				w.opens(link, "c")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

// opens holds that a link is for the customer, and for nobody else.
func (w *world) opens(address, customer string) {
	w.t.Helper()
	token, err := formlink.Read(strings.TrimPrefix(address, forms+formlink.Path))
	if err != nil {
		w.t.Fatal(err)
	}
	link, err := w.FormKey.Open(token, formlink.Customer{Channel: "shop", ExternalID: customer})
	if err != nil || !link.Expires.Equal(w.now.Add(formlink.Lasts)) {
		w.t.Errorf("the link is %+v with the error %v", link, err)
	}
	if _, err := w.FormKey.Open(token, formlink.Customer{Channel: "shop", ExternalID: "somebody else"}); err == nil {
		w.t.Error("the link is for somebody else, too")
	}
}

func TestEveryMessageGetsAFormOfItsOwn(t *testing.T) {
	w := newWorld(t, leads(forms))
	w.FormKey = formlink.Key("a key of thirty-two bytes, or so")
	twice := w.says("c", "1", message.Content{Kind: message.KindText, Text: "申请售后"})
	w.handles(twice, twice)
	w.writes("c", "还要申请售后")
	got := w.sees("c")
	if links := got.links(); len(links) != 2 || links[0] == links[1] {
		t.Errorf("the links are %v, want two", links)
	}
}
