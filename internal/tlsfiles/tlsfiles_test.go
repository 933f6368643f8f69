package tlsfiles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

func TestConfigNamesTheFileThatIsAmissAndNotWhatIsInIt(t *testing.T) {
	authority := testenv.NewAuthority(t)
	own := authority.Issue("lumi")
	odd := filepath.Join(t.TempDir(), "odd.pem")
	if err := os.WriteFile(odd, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		files tlsfiles.Files
		want  string
	}{
		"the system's authorities":         {tlsfiles.Files{}, ""},
		"an authority and a certificate":   {tlsfiles.Files{CA: authority.CAFile, Certificate: own.CertFile, Key: own.KeyFile}, ""},
		"an authority that is not there":   {tlsfiles.Files{CA: odd + "x"}, "odd.pemx: no such file"},
		"an authority that is none":        {tlsfiles.Files{CA: odd}, "odd.pem holds no certificate in PEM"},
		"a certificate without a key":      {tlsfiles.Files{Certificate: own.CertFile}, "belong together"},
		"a key without a certificate":      {tlsfiles.Files{Key: own.KeyFile}, "belong together"},
		"a certificate that is not there":  {tlsfiles.Files{Certificate: odd + "x", Key: own.KeyFile}, "odd.pemx: no such file"},
		"a certificate that is none":       {tlsfiles.Files{Certificate: odd, Key: own.KeyFile}, "reading the client certificate"},
		"a certificate with another's key": {tlsfiles.Files{Certificate: own.CertFile, Key: authority.Issue("other").KeyFile}, "reading the client certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.files.Config()
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
