package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	teaBrand = `
apiVersion: yingda.dev/v1alpha1
kind: Brand
metadata: {name: tea, namespace: shops}
spec:
  postgres: {secretRef: {name: owner}, connectorSecretRef: {name: connector}}
`
	teaChannel = `
apiVersion: yingda.dev/v1alpha1
kind: Channel
metadata: {name: shop, namespace: shops}
spec:
  displayName: 茶铺
  type: MiniProgram
  miniProgram: {appID: wx00112233445566aa, credentialsSecretRef: {name: wechat}, apiBaseURL: "http://10.97.0.1:8090"}
`
	wechatSecret = `
apiVersion: v1
kind: Secret
metadata: {name: wechat, namespace: shops}
data: {appSecret: c2VjcmV0}
stringData: {token: tok, encodingAESKey: key}
`
)

func loginSecret(name, url string) string {
	return "\napiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: shops}\nstringData: {url: '" + url + "'}\n"
}

func documents(all ...string) string { return strings.Join(all, "---") }

func TestAFolderSaysWhatTheStackMustKnowOfItsBrand(t *testing.T) {
	const owner = "postgres://tea:p%40ss@10.97.0.1:5432/tea?sslmode=disable"
	f, err := readFolder(documents(teaBrand, teaChannel, wechatSecret, loginSecret("owner", owner), "\nkind: Agent\nmetadata: {name: xiaolan}\n"))
	if err != nil {
		t.Fatal(err)
	}
	logins, err := f.logins()
	if err != nil {
		t.Fatal(err)
	}
	wantLogins := []login{{secret: "owner", role: "tea", url: owner}, {secret: "connector", role: "tea_connector"}}
	if diff := cmp.Diff(wantLogins, logins, cmp.AllowUnexported(login{})); diff != "" {
		t.Errorf("logins (-want +got):\n%s", diff)
	}
	wantApps := []simulatorApp{{
		channel: "shop", AppID: "wx00112233445566aa", AppSecret: "secret", Token: "tok", EncodingAESKey: "key",
		OriginalID: "gh_00112233445566aa", Name: "茶铺", Kind: "miniProgram", OpenPlatform: "tea", Mode: "secure", Format: "JSON",
	}}
	if diff := cmp.Diff(wantApps, f.apps(), cmp.AllowUnexported(simulatorApp{})); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	if f.brand.Namespace != "shops" || !cmp.Equal(f.agents, []string{"xiaolan"}) {
		t.Errorf("namespace %q, agents %q", f.brand.Namespace, f.agents)
	}
}

func TestAFolderThatCannotBeOnboardedSaysWhy(t *testing.T) {
	for sentence, tt := range map[string]struct{ text, want string }{
		"without a Brand":      {teaChannel, "no Brand"},
		"with two Brands":      {documents(teaBrand, teaBrand), "more than one Brand"},
		"without a namespace":  {strings.ReplaceAll(teaBrand, ", namespace: shops", ""), "names no namespace"},
		"with what is no YAML": {"a: [", "reading its YAML"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if _, err := readFolder(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestAConnectionStringThatTheLocalStackWouldNotAnswerIsRefusedWithoutItsPassword(t *testing.T) {
	for sentence, address := range map[string]string{
		"of another host":     "postgres://tea:hush@db.infra:5432/tea?sslmode=disable",
		"of another login":    "postgres://postgres:hush@10.97.0.1:5432/tea?sslmode=disable",
		"of another database": "postgres://tea:hush@10.97.0.1:5432/lumi?sslmode=disable",
		"that wants TLS":      "postgres://tea:hush@10.97.0.1:5432/tea",
		"without a password":  "postgres://tea@10.97.0.1:5432/tea?sslmode=disable",
		"that is no URL":      "://hush",
	} {
		t.Run(sentence, func(t *testing.T) {
			f, err := readFolder(documents(teaBrand, loginSecret("owner", address)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.logins()
			if err == nil || !strings.Contains(err.Error(), "Secret owner") || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestChannelsThatDoNotCallTheSimulatorAreNotItsBusiness(t *testing.T) {
	for sentence, text := range map[string]string{
		"a Channel of WeChat itself":                  documents(teaBrand, strings.ReplaceAll(teaChannel, `, apiBaseURL: "http://10.97.0.1:8090"`, ""), wechatSecret),
		"a Channel whose Secret is not in the folder": documents(teaBrand, teaChannel),
	} {
		t.Run(sentence, func(t *testing.T) {
			f, err := readFolder(text)
			if err != nil {
				t.Fatal(err)
			}
			if apps := f.apps(); len(apps) > 0 {
				t.Errorf("got %d apps", len(apps))
			}
		})
	}
}

// repository is an installation whose kubectl is this checkout's.
func repository(t *testing.T) *local {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l := newLocal(root)
	if _, err := os.Stat(l.cluster.kubectl); err != nil {
		t.Fatalf("finding kubectl (make bin/k8s builds it): %v", err)
	}
	return l
}

func TestTheLocalStackKnowsEverySample(t *testing.T) {
	folders, err := repository(t).samples(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	apps := map[string]string{}
	var names []string
	for _, f := range folders {
		names = append(names, f.brand.Name)
		if _, err := f.logins(); err != nil {
			t.Errorf("%s: %v", f.path, err)
		}
		if f.brand.Namespace != f.brand.Name || filepath.Base(f.path) != f.brand.Name {
			t.Errorf("%s holds Brand %s in namespace %s: call all three alike", f.path, f.brand.Name, f.brand.Namespace)
		}
		if len(f.agents) == 0 {
			t.Errorf("%s has no Agents", f.path)
		}
		for _, app := range f.apps() {
			if other := apps[app.AppID]; other != "" {
				t.Errorf("%s has the AppID of %s", f.path, other)
			}
			apps[app.AppID] = f.path
		}
	}
	if diff := cmp.Diff([]string{"lumi", "qiming"}, names); diff != "" {
		t.Errorf("samples of the local stack (-want +got):\n%s", diff)
	}
}

func TestTheProductionSampleHasNothingOfTheLocalStackAndAllOfItsSecretsToFillIn(t *testing.T) {
	l := repository(t)
	f, err := l.openFolder(t.Context(), "production")
	if err != nil {
		t.Fatal(err)
	}
	text, err := l.kubectl(t.Context(), "kustomize", f.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, local := range []string{hostIP, "on-this-machine-only", "FEDCBA9876543210"} {
		if strings.Contains(text, local) {
			t.Errorf("it holds %s", local)
		}
	}
	refused := f.checkFilledIn()
	if refused == nil {
		t.Fatal("its placeholders are taken for credentials")
	}
	spec := f.brand.Spec
	wanted := []string{
		spec.Kafka.TLS.CASecretRef.Name, spec.Kafka.SASL.SecretRef.Name, spec.Temporal.TLS.SecretRef.Name,
		spec.Postgres.SecretRef.Name, spec.Postgres.ConnectorSecretRef.Name, f.channels[0].Spec.WeChat().CredentialsSecretRef.Name,
	}
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, slices.Sorted(maps.Keys(f.secrets))); diff != "" {
		t.Errorf("Secrets, as they are named (-want) and as they are there (+got):\n%s", diff)
	}
	for name, content := range f.secrets {
		for key := range content {
			if !strings.Contains(refused.Error(), key+" of Secret "+name) {
				t.Errorf("%s of Secret %s is not to be filled in: %v", key, name, refused)
			}
		}
		for key := range content {
			content[key] = "filled in"
		}
	}
	if err := f.checkFilledIn(); err != nil {
		t.Errorf("with all credentials it is refused: %v", err)
	}
}

func TestTheDatabaseTakesThePasswordsOfTheFolderAndTheRestIsMade(t *testing.T) {
	const owner = "postgres://tea:leaves@10.97.0.1:5432/tea?sslmode=disable"
	l := newTestLocal(t, map[string]string{
		// Like the real one, it keeps what it finds and makes what it does not.
		"stack":       `echo "$@" >>asked; out=.run/data/postgres/brands; for role in tea tea_connector; do [ -e $out/$role.url ] || echo made-$role >$out/$role.url; done`,
		"k8s/kubectl": `cat >>applied`,
	})
	f, err := readFolder(documents(teaBrand, loginSecret("owner", owner)))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ensureDatabase(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := l.applyDatabaseSecrets(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if got, err := l.loginURL("tea"); err != nil || got != owner {
		t.Errorf("the owner's login is %q, %v", got, err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(l.root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if asked := read("asked"); !strings.Contains(asked, "--database tea ") {
		t.Errorf("the stack was asked for %q", asked)
	}
	applied := read("applied")
	if !strings.Contains(applied, "made-tea_connector") || strings.Contains(applied, `"name":"owner"`) {
		t.Errorf("applied Secrets: %s", applied)
	}
}

func TestABrandIsFoundByItsNameOrItsPath(t *testing.T) {
	l := newTestLocal(t, nil)
	sample := filepath.Join(l.root, "config", "samples", "tea")
	mine := filepath.Join(t.TempDir(), "mine")
	for _, path := range []string{sample, mine} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for sentence, tt := range map[string]struct {
		name, want string
		wantErr    bool
	}{
		"a sample":              {name: "tea", want: sample},
		"a folder of one's own": {name: mine, want: mine},
		"nothing":               {wantErr: true},
		"what is not there":     {name: "coffee", wantErr: true},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := l.folderPath(tt.name)
			if got != tt.want || (err != nil) != tt.wantErr {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
