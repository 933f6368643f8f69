// Package golden compares what tests render with files in testdata, so that the effect of a change is visible in its diff.
//
// `go test ./... -update` writes the files anew. The package is for tests alone: nothing else imports it.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

//nolint:gochecknoglobals // A flag of the test binary has to be known before it parses its command line.
var update = flag.Bool("update", false, "write the golden files anew")

// Compare compares text with testdata/<name>.
func Compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", path, diff)
	}
}

// YAML renders objects as one stream of YAML documents.
func YAML[T any](t *testing.T, objects ...T) []byte {
	t.Helper()
	var out bytes.Buffer
	for i, object := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	return out.Bytes()
}

// Updating says whether the files are being written anew.
func Updating() bool { return *update }
