package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodKubeconfig = `
apiVersion: v1
kind: Config
current-context: prod
contexts: [{name: prod, context: {cluster: prod, user: me}}]
clusters: [{name: prod, cluster: {server: "https://k8s.example:6443"}}]
users: [{name: me, user: {}}]
`

// useKubeconfig writes a KUBECONFIG and lets the test, and all that it starts, use it.
func useKubeconfig(t *testing.T, content string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

func TestTheTargetIsWhatKubectlTalksTo(t *testing.T) {
	for sentence, tt := range map[string]struct{ kubeconfig, want, wantErr string }{
		"a context with a cluster": {kubeconfig: goodKubeconfig, want: "the cluster of context prod (https://k8s.example:6443)"},
		"no current context":       {kubeconfig: strings.ReplaceAll(goodKubeconfig, "current-context: prod", ""), wantErr: "no current context"},
		"a context that is gone":   {kubeconfig: strings.ReplaceAll(goodKubeconfig, "current-context: prod", "current-context: test"), wantErr: "current context test"},
		"a cluster that is gone":   {kubeconfig: strings.ReplaceAll(goodKubeconfig, "cluster: prod", "cluster: test"), wantErr: "current context prod"},
		"a file that is no YAML":   {kubeconfig: "{", wantErr: "reading KUBECONFIG"},
	} {
		t.Run(sentence, func(t *testing.T) {
			useKubeconfig(t, tt.kubeconfig)
			got, err := currentTarget()
			if tt.wantErr == "" && (err != nil || got.String() != tt.want) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("got %v, want an error that says %q", err, tt.wantErr)
			}
		})
	}
	t.Run("a file that is not there", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "missing")
		t.Setenv("KUBECONFIG", missing)
		if _, err := currentTarget(); err == nil || !strings.Contains(err.Error(), "KUBECONFIG points nowhere: there is no "+missing) {
			t.Errorf("got %v", err)
		}
	})
}

// foreignCluster is somebody's cluster: a kubectl and a helm that note what they are asked, and fail where a file says so.
func foreignCluster(t *testing.T) *local {
	t.Helper()
	useKubeconfig(t, goodKubeconfig)
	l := newTestLocal(t, map[string]string{
		"tools/kubectl": `echo "kubectl $@" >>asked; case "$*" in
*kustomize*) cat brand.yaml ;;
*version*) [ ! -e away ] ;;
*jsonpath*) echo registry.example/yingda:1 ;;
*rollout*) [ ! -e stuck ] ;;
esac`,
		"helm": `echo "helm $@" >>asked; case "$*" in list*) [ ! -e installed ] || echo yingda ;; esac`,
	})
	t.Setenv("PATH", l.bin("tools")+":"+os.Getenv("PATH"))
	return l
}

func (l *local) note(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.root, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (l *local) asked(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(l.root, "asked"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheCurrentClusterGetsTheChartAndTheBrandThatIsNamedAndNothingElse(t *testing.T) {
	for sentence, tt := range map[string]struct {
		given []string
		// values says that a file is given.
		values bool
		// brand is what the folder holds that is given.
		brand              string
		want, wantErr      string
		wantNoInstallation bool
	}{
		"with a brand":                       {values: true, brand: documents(teaBrand, wechatSecret), want: "--values"},
		"with a brand that is not filled in": {values: true, brand: documents(teaBrand, loginSecret("owner", "postgres://tea:FILL IN@db/tea")), wantErr: "url of Secret owner", wantNoInstallation: true},
		"the first time with values":         {values: true, want: "--values"},
		"the first time without":             {wantErr: "needs a values file", wantNoInstallation: true},
		"the next time without":              {given: []string{"installed"}, want: "--reset-then-reuse-values"},
		"the next time with others":          {given: []string{"installed"}, values: true, want: "--values"},
		"a cluster that does not answer":     {given: []string{"away"}, values: true, wantErr: "context prod (https://k8s.example:6443) does not answer", wantNoInstallation: true},
		"an operator that does not start":    {given: []string{"stuck"}, values: true, wantErr: "must be able to pull registry.example/yingda:1"},
	} {
		t.Run(sentence, func(t *testing.T) {
			l := foreignCluster(t)
			for _, name := range tt.given {
				l.note(t, name)
			}
			var o currentOptions
			if tt.values {
				l.note(t, "values.yaml")
				o.values = filepath.Join(l.root, "values.yaml")
			}
			if tt.brand != "" {
				o.brand = l.root
				if err := os.WriteFile(filepath.Join(l.root, "brand.yaml"), []byte(tt.brand), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := l.upCurrent(t.Context(), o)
			if (err != nil) != (tt.wantErr != "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Fatalf("got %v, want %q", err, tt.wantErr)
			}
			asked := l.asked(t)
			if installs := strings.Contains(asked, "helm upgrade --install yingda"); installs == tt.wantNoInstallation {
				t.Errorf("it installs: %t:\n%s", installs, asked)
			}
			applies := strings.Contains(asked, "apply --server-side --force-conflicts")
			if wantBrand := tt.brand != "" && tt.wantErr == ""; !strings.Contains(asked, tt.want) || applies != wantBrand {
				t.Errorf("asked, want %q, and a brand: %t\n%s", tt.want, wantBrand, asked)
			}
		})
	}
}

func TestAValuesFileThatIsNotThereIsRefused(t *testing.T) {
	if _, err := valuesArguments(filepath.Join(t.TempDir(), "missing.yaml"), ""); err == nil || !strings.Contains(err.Error(), "VALUES names no file") {
		t.Errorf("got %v", err)
	}
}

func TestValuesAndBrandsAreNotForTheLocalCluster(t *testing.T) {
	for sentence, tt := range map[string]struct {
		where   string
		current currentOptions
	}{
		"values":                      {clusterLocal, currentOptions{values: "x.yaml"}},
		"a brand":                     {clusterLocal, currentOptions{brand: "qiming"}},
		"a cluster that nobody knows": {"elsewhere", currentOptions{}},
	} {
		t.Run(sentence, func(t *testing.T) {
			if err := bringUp(t.Context(), newTestLocal(t, nil), tt.where, kfake, tt.current); err == nil {
				t.Error("accepted")
			}
		})
	}
}
