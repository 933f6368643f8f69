package formlink_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const origin = "https://service.lumi.example"

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

func TestALinkOpensForItsCustomerAlone(t *testing.T) {
	t.Parallel()
	key, customer := formlink.Key("one"), formlink.Customer{Channel: "shop", ExternalID: "c"}
	link := formlink.Link{Expires: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Conversation: uuid.New(), ID: uuid.New()}
	token := strings.TrimPrefix(key.Address(origin+"/", link, customer), origin+formlink.Path)
	changed := []byte(token)
	changed[0]++
	for sentence, tt := range map[string]struct {
		key      formlink.Key
		token    string
		customer formlink.Customer
		want     error
	}{
		"its customer's":                  {key, token, customer, nil},
		"by another brand's key":          {formlink.Key("other"), token, customer, formlink.ErrNone},
		"of another customer":             {key, token, formlink.Customer{Channel: "shop", ExternalID: "d"}, formlink.ErrNone},
		"of the same name elsewhere":      {key, token, formlink.Customer{Channel: "sho", ExternalID: "pc"}, formlink.ErrNone},
		"with another time":               {key, string(changed), customer, formlink.ErrNone},
		"cut":                             {key, token[1:], customer, formlink.ErrNone},
		"of line ends alone":              {key, strings.Repeat("\n", len(token)), customer, formlink.ErrNone},
		"with what is no part of a token": {key, "*" + token[1:], customer, formlink.ErrNone},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			var opened formlink.Link
			read, err := formlink.Read(tt.token)
			if err == nil {
				opened, err = tt.key.Open(read, tt.customer)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("the error is %v, want %v", err, tt.want)
			}
			if tt.want == nil && (!opened.Expires.Equal(link.Expires) || opened.Conversation != link.Conversation || opened.ID != link.ID) {
				t.Errorf("opened %+v, want %+v", opened, link)
			}
		})
	}
}

func TestAllReplicasHaveOneKey(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	first, err := formlink.LoadKey(t.Context(), s.Queries())
	if err != nil {
		t.Fatal(err)
	}
	if second, err := formlink.LoadKey(t.Context(), s.Queries()); err != nil || string(second) != string(first) || len(first) != 32 {
		t.Errorf("%d bytes, and not the same the second time (error %v)", len(first), err)
	}
}

func FuzzRead(f *testing.F) {
	key, customer := formlink.Key("one"), formlink.Customer{Channel: "shop", ExternalID: "c"}
	f.Add(strings.TrimPrefix(key.Address(origin, formlink.Link{Expires: time.Unix(1, 0)}, customer), origin+formlink.Path))
	f.Add(strings.Repeat("\n", 96))
	f.Fuzz(func(t *testing.T, token string) {
		read, err := formlink.Read(token)
		if err != nil {
			return
		}
		if link, err := key.Open(read, formlink.Customer{}); err == nil {
			t.Errorf("%q opens %+v", token, link)
		}
	})
}
