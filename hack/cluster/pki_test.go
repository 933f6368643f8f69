package main

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/pkiutil"
)

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(text)
	}
	return files
}

func changed(before, after map[string]string) int {
	count := 0
	for name, text := range after {
		if before[name] != text {
			count++
		}
	}
	return count
}

func TestEveryCertificateIsSignedByItsAuthority(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	if err := ensurePKI(dir, now); err != nil {
		t.Fatal(err)
	}
	for _, spec := range leafCerts() {
		t.Run(spec.name, func(t *testing.T) {
			authorities, err := certutil.NewPool(filepath.Join(dir, spec.ca+".crt"))
			if err != nil {
				t.Fatal(err)
			}
			cert, _, err := pkiutil.TryLoadCertAndKeyFromDisk(dir, spec.name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cert.Verify(x509.VerifyOptions{Roots: authorities, KeyUsages: spec.Usages, CurrentTime: now}); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(spec.Organization, cert.Subject.Organization); diff != "" {
				t.Errorf("groups differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCertificatesAreKeptUntilTheyMustBeMadeAnew(t *testing.T) {
	now := time.Now()
	cases := map[string]struct {
		later  time.Duration
		damage func(dir string) error
		anew   int // files
	}{
		"nothing has happened":       {0, nil, 0},
		"time has passed":            {certLifetime / 2, nil, 0},
		"the certificates end soon":  {certLifetime - renewBefore + time.Hour, nil, 2 * len(leafCerts())},
		"the authorities end soon":   {caLifetime, nil, 2 * (len(leafCerts()) + 2)},
		"one certificate is damaged": {0, func(dir string) error { return os.WriteFile(filepath.Join(dir, "admin.crt"), []byte("x"), 0o600) }, 2},
		"one key is lost":            {0, func(dir string) error { return os.Remove(filepath.Join(dir, "kubelet.key")) }, 2},
		"the etcd authority is lost": {0, func(dir string) error { return os.Remove(filepath.Join(dir, "etcd-ca.crt")) }, 6},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := ensurePKI(dir, now); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			if test.damage != nil {
				if err := test.damage(dir); err != nil {
					t.Fatal(err)
				}
			}
			if err := ensurePKI(dir, now.Add(test.later)); err != nil {
				t.Fatal(err)
			}
			if got := changed(before, contents(t, dir)); got != test.anew {
				t.Errorf("%d files made anew, want %d", got, test.anew)
			}
		})
	}
}

func TestKubeconfigSignsInWithItsCertificate(t *testing.T) {
	dir := t.TempDir()
	if err := ensurePKI(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := writeKubeconfig(dir, "admin", path); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if want := contents(t, dir)["admin.crt"]; string(config.CertData) != want {
		t.Error("the kubeconfig holds another certificate")
	}
	if want := "https://" + hostAddress + ":6443"; config.Host != want {
		t.Errorf("server = %s, want %s", config.Host, want)
	}
}
