package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// mailed is a Brand with a mail server.
func mailed(edits ...func(*v1alpha1.BrandMail)) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Mail = &v1alpha1.BrandMail{Host: "smtp.example", From: "service@lumi.example", SecretRef: v1alpha1.CredentialsReference{Name: "lumi-mail"}}
		for _, edit := range edits {
			edit(b.Spec.Mail)
		}
	})
}

func TestAdmissionOfMail(t *testing.T) { newAdmission(t).tries(mailAttempts()) }

func mailAttempts() map[string]attempt {
	return map[string]attempt{
		"a mail server":                       {mailed(func(*v1alpha1.BrandMail) {}), ""},
		"one that is secured from the start":  {mailed(func(m *v1alpha1.BrandMail) { m.Security, m.Port = v1alpha1.MailTLS, 465 }), ""},
		"one of a private authority":          {mailed(func(m *v1alpha1.BrandMail) { m.CASecretRef = &v1alpha1.CredentialsReference{Name: "mail-ca"} }), ""},
		"one of a name":                       {mailed(func(m *v1alpha1.BrandMail) { m.DisplayName = "鹿米客服" }), ""},
		"plain text":                          {mailed(func(m *v1alpha1.BrandMail) { m.Security = "None" }), "Unsupported value"},
		"a host with a port":                  {mailed(func(m *v1alpha1.BrandMail) { m.Host = "smtp.example:587" }), "write host as a name without a port"},
		"a host with a scheme":                {mailed(func(m *v1alpha1.BrandMail) { m.Host = "smtps://smtp.example" }), "write host as a name without a port"},
		"no host":                             {mailed(func(m *v1alpha1.BrandMail) { m.Host = "" }), "write host as a name without a port"},
		"a port that there is not":            {mailed(func(m *v1alpha1.BrandMail) { m.Port = 65536 }), "should be less than or equal to 65535"},
		"a sender with a name":                {mailed(func(m *v1alpha1.BrandMail) { m.From = "Lumi <service@lumi.example>" }), "write from as an address without a name"},
		"a sender with a header":              {mailed(func(m *v1alpha1.BrandMail) { m.From = "service@lumi.example\r\nBcc: all@lumi.example" }), "write from as an address without a name"},
		"a sender without a domain":           {mailed(func(m *v1alpha1.BrandMail) { m.From = "service@lumi" }), "write from as an address without a name"},
		"a name that is a novel":              {mailed(func(m *v1alpha1.BrandMail) { m.DisplayName = strings.Repeat("鹿", 65) }), "may not be more than 64"},
		"nothing to sign in by":               {mailed(func(m *v1alpha1.BrandMail) { m.SecretRef.Name = "" }), "spec.mail.secretRef.name"},
		"authorities without a name":          {mailed(func(m *v1alpha1.BrandMail) { m.CASecretRef = &v1alpha1.CredentialsReference{} }), "spec.mail.caSecretRef.name"},
		"a host that is longer than names go": {mailed(func(m *v1alpha1.BrandMail) { m.Host = strings.Repeat("a", 254) }), "may not be more than 253"},
	}
}
