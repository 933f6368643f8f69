package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	certutil "k8s.io/client-go/util/cert"
	kubeadmapi "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/pkiutil"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	certLifetime = 365 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is made anew. A
	// cluster that stays up is renewed by the next `up`.
	renewBefore = 30 * 24 * time.Hour
	// apiCA signs what speaks with the API server and the kubelet; etcdCA only
	// the two that may speak with etcd, which knows no RBAC.
	apiCA  = "ca"
	etcdCA = "etcd-ca"
)

// certSpec is one leaf certificate.
type certSpec struct {
	name, ca string
	certutil.Config
}

func server() []x509.ExtKeyUsage { return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
func client() []x509.ExtKeyUsage { return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }

// leafCerts lists every certificate that the components and the user need.
func leafCerts() []certSpec {
	names := func(ips []string, dns ...string) certutil.AltNames {
		alt := certutil.AltNames{DNSNames: dns}
		for _, ip := range ips {
			alt.IPs = append(alt.IPs, net.ParseIP(ip))
		}
		return alt
	}
	user := func(name, commonName string, organization ...string) certSpec {
		return certSpec{name, apiCA, certutil.Config{CommonName: commonName, Organization: organization, Usages: client()}}
	}
	return []certSpec{
		// etcd calls itself as a peer and as a client (its gRPC gateway).
		{"etcd", etcdCA, certutil.Config{
			CommonName: etcd, AltNames: names([]string{"127.0.0.1"}, "localhost"), Usages: append(server(), client()...),
		}},
		{"apiserver-etcd-client", etcdCA, certutil.Config{CommonName: kubeAPIServer, Usages: client()}},
		{"apiserver", apiCA, certutil.Config{
			CommonName: kubeAPIServer, Usages: server(),
			AltNames: names([]string{hostAddress, apiService, "127.0.0.1"}, "localhost", "kubernetes", "kubernetes.default",
				"kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
		}},
		{"kubelet-server", apiCA, certutil.Config{CommonName: nodeName, AltNames: names([]string{hostAddress}, nodeName), Usages: server()}},
		{"local-server", apiCA, certutil.Config{CommonName: "localhost", AltNames: names([]string{"127.0.0.1"}, "localhost"), Usages: server()}},
		user("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
		user(kubeletName, "system:node:"+nodeName, "system:nodes"),
		user(kubeControllerManager, "system:kube-controller-manager"),
		user(kubeScheduler, "system:kube-scheduler"),
		user(kubeProxy, "system:kube-proxy"),
		user("admin", "kubernetes-admin", "system:masters"),
	}
}

// ensurePKI makes what is absent, damaged or about to expire, and keeps the rest:
// tokens and kubeconfigs that the user copied stay valid over `down` and `up`.
func ensurePKI(dir string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the certificate directory: %w", err)
	}
	for _, ca := range []string{apiCA, etcdCA} {
		if err := ensureCA(dir, ca, now); err != nil {
			return fmt.Errorf("making the certificate authority %s: %w", ca, err)
		}
	}
	for _, spec := range leafCerts() {
		if err := ensureLeaf(dir, spec, now); err != nil {
			return fmt.Errorf("making the certificate %s: %w", spec.name, err)
		}
	}
	if err := ensureSigningKey(dir); err != nil {
		return fmt.Errorf("making the service account key: %w", err)
	}
	return nil
}

func fresh(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && now.Add(renewBefore).Before(cert.NotAfter)
}

func ensureCA(dir, name string, now time.Time) error {
	if cert, _, err := pkiutil.TryLoadCertAndKeyFromDisk(dir, name); err == nil && fresh(cert, now) {
		return nil
	}
	cert, key, err := pkiutil.NewCertificateAuthority(&pkiutil.CertConfig{
		Config:              certutil.Config{CommonName: "yingda-local-" + name, NotBefore: now.Add(-time.Minute).UTC()},
		NotAfter:            now.Add(caLifetime).UTC(),
		EncryptionAlgorithm: kubeadmapi.EncryptionAlgorithmECDSAP256,
	})
	if err != nil {
		return err
	}
	return pkiutil.WriteCertAndKey(dir, name, cert, key)
}

func ensureLeaf(dir string, spec certSpec, now time.Time) error {
	caCert, caKey, err := pkiutil.TryLoadCertAndKeyFromDisk(dir, spec.ca)
	if err != nil {
		return err
	}
	if cert, _, err := pkiutil.TryLoadCertAndKeyFromDisk(dir, spec.name); err == nil &&
		fresh(cert, now) && cert.CheckSignatureFrom(caCert) == nil {
		return nil
	}
	spec.NotBefore = now.Add(-time.Minute).UTC()
	cert, key, err := pkiutil.NewCertAndKey(caCert, caKey, &pkiutil.CertConfig{
		Config:              spec.Config,
		NotAfter:            now.Add(certLifetime).UTC(),
		EncryptionAlgorithm: kubeadmapi.EncryptionAlgorithmECDSAP256,
	})
	if err != nil {
		return err
	}
	return pkiutil.WriteCertAndKey(dir, spec.name, cert, key)
}

// ensureSigningKey makes the key pair that signs service account tokens.
func ensureSigningKey(dir string) error {
	if _, _, err := pkiutil.TryLoadPrivatePublicKeyFromDisk(dir, "sa"); err == nil {
		return nil
	}
	key, err := pkiutil.NewPrivateKey(kubeadmapi.EncryptionAlgorithmECDSAP256)
	if err != nil {
		return err
	}
	return errors.Join(pkiutil.WriteKey(dir, "sa", key), pkiutil.WritePublicKey(dir, "sa", key.Public()))
}

// writeKubeconfig writes a kubeconfig that signs in with the named certificate.
func writeKubeconfig(pkiDir, certName, path string) error {
	read := func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(pkiDir, file)) }
	ca, caErr := read(apiCA + ".crt")
	cert, certErr := read(certName + ".crt")
	key, keyErr := read(certName + ".key")
	if err := errors.Join(caErr, certErr, keyErr); err != nil {
		return fmt.Errorf("reading the certificates of a kubeconfig: %w", err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[nodeName] = &clientcmdapi.Cluster{Server: "https://" + hostAddress + ":6443", CertificateAuthorityData: ca}
	config.AuthInfos[certName] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	config.Contexts[nodeName] = &clientcmdapi.Context{Cluster: nodeName, AuthInfo: certName}
	config.CurrentContext = nodeName
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}
