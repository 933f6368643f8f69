package mail

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAddressesThatMailIsSentTo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for name, tc := range map[string]struct {
		address string
		taken   bool
	}{
		"an ordinary one":               {"zhang.san@mail.example", true},
		"one of a number":               {"10001@qq.example", true},
		"one with a tag":                {"zhang+lumi@mail.example", true},
		"the longest name":              {long + "@mail.example", true},
		"a name that is too long":       {long + "a@mail.example", false},
		"one that is too long":          {"a@" + strings.Repeat("abcdefgh.", 28) + "example", false},
		"without a name":                {"@mail.example", false},
		"without a host":                {"zhang@", false},
		"of a host without a domain":    {"zhang@localhost", false},
		"of a machine's address":        {"zhang@192.0.2.7", false},
		"of an address in brackets":     {"zhang@[192.0.2.7]", false},
		"with a name before it":         {"Zhang <zhang@mail.example>", false},
		"two of them":                   {"a@mail.example,b@mail.example", false},
		"with a header after it":        {"zhang@mail.example\r\nBcc: all@mail.example", false},
		"with a line break at its end":  {"zhang@mail.example\n", false},
		"with a NUL":                    {"zhang\x00@mail.example", false},
		"with a space":                  {"zhang san@mail.example", false},
		"quoted":                        {`"zhang san"@mail.example`, false},
		"with two dots in a row":        {"zhang..san@mail.example", false},
		"with a dot at the end":         {"zhang@mail.example.", false},
		"in characters":                 {"张三@mail.example", false},
		"of a host in characters":       {"zhang@邮件.example", false},
		"of a label that begins with -": {"zhang@-mail.example", false},
		"nothing":                       {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := Check(tc.address); (err == nil) != tc.taken {
				t.Errorf("Check(%q) = %v, want it taken: %t", tc.address, err, tc.taken)
			}
		})
	}
}

func FuzzAddressesHoldNothingElse(f *testing.F) {
	f.Add("zhang@mail.example")
	f.Fuzz(func(t *testing.T, address string) {
		if Check(address) == nil && strings.ContainsAny(address, "\r\n\t <>,;:\"()[]\\\x00") {
			t.Errorf("%q is taken", address)
		}
	})
}

func TestWhatAMailIsCalled(t *testing.T) {
	t.Parallel()
	id := ID("after-sales/shop/lumi/1", "told/3", "service@lumi.example")
	if id != ID("after-sales/shop/lumi/1", "told/3", "service@lumi.example") || !strings.HasSuffix(id, "@lumi.example") {
		t.Errorf("the ID is %q", id)
	}
	for _, other := range []string{ID("after-sales/shop/lumi/1", "told/4", "service@lumi.example"), ID("after-sales/shop/lumi/2", "told/3", "service@lumi.example")} {
		if other == id {
			t.Errorf("two mails are called %q", id)
		}
	}
}

func TestWhereMailIsHandedIn(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]v1alpha1.BrandMail{
		"smtp.example:587":  {Host: "SMTP.example", Security: v1alpha1.MailStartTLS},
		"smtp.example:465":  {Host: "smtp.example", Security: v1alpha1.MailTLS},
		"smtp.example:2525": {Host: "smtp.example", Port: 2525},
	} {
		if got := Server(&m); got != want {
			t.Errorf("Server = %s, want %s", got, want)
		}
	}
}

func TestWhoReadsAlongSeesNoAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"zhang.san@mail.example": "z***@mail.example", "": ""} {
		if got := Masked(address); got != want {
			t.Errorf("Masked(%q) = %q, want %q", address, got, want)
		}
	}
}
