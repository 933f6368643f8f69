package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/template"

	"k8s.io/component-base/version"
)

// The names of the components: of the program, its pid file and its log.
const (
	etcd                  = "etcd"
	kubeAPIServer         = "kube-apiserver"
	kubeControllerManager = "kube-controller-manager"
	kubeScheduler         = "kube-scheduler"
	kubeletName           = "kubelet"
	kubeProxy             = "kube-proxy"
	kubectlName           = "kubectl"
	containerdName        = "containerd"
)

// multiCallNames are the servers that this program can be.
func multiCallNames() []string {
	return []string{etcd, kubeAPIServer, kubeControllerManager, kubeScheduler, kubeletName, kubeProxy}
}

// componentNames are all components in the order in which they start.
func componentNames() []string {
	return []string{containerdName, etcd, kubeAPIServer, kubeControllerManager, kubeScheduler, kubeletName, kubeProxy}
}

// component is one process of the cluster.
type component struct {
	name string
	path string
	args []string
	// files are the files that it reads at its start; with the command line
	// they make the digest, and a changed digest makes `up` restart it.
	files   []string
	listens []string
	digest  string
}

// components returns every component in the order in which they start.
func (l layout) components(containerdPath string) []component {
	all := []component{
		{
			name:  containerdName,
			path:  containerdPath,
			args:  []string{"--config=" + l.config("containerd.toml")},
			files: []string{l.config("containerd.toml"), l.config("cni/10-yingda.conflist")},
		},
		l.etcd(), l.apiServer(), l.controllerManager(), l.scheduler(), l.kubelet(), l.kubeProxy(),
	}
	for i, comp := range all {
		if comp.path == "" {
			all[i].path = l.bin(comp.name)
		}
	}
	return all
}

func (l layout) etcd() component {
	const client, peer = "https://127.0.0.1:2379", "https://127.0.0.1:2380"
	cert, key, ca := l.pki("etcd.crt"), l.pki("etcd.key"), l.pki("etcd-ca.crt")
	return component{
		name: etcd,
		args: []string{
			"--name=" + nodeName, "--data-dir=" + l.etcdData(), "--log-level=warn",
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=" + nodeName + "=" + peer,
			"--cert-file=" + cert, "--key-file=" + key, "--trusted-ca-file=" + ca, "--client-cert-auth",
			"--peer-cert-file=" + cert, "--peer-key-file=" + key, "--peer-trusted-ca-file=" + ca, "--peer-client-cert-auth",
			"--quota-backend-bytes=536870912",
		},
		files:   []string{cert, ca},
		listens: []string{"127.0.0.1:2379", "127.0.0.1:2380"},
	}
}

func (l layout) apiServer() component {
	return component{
		name: kubeAPIServer,
		args: []string{
			"--bind-address=" + hostAddress, "--advertise-address=" + hostAddress, "--secure-port=6443",
			"--tls-cert-file=" + l.pki("apiserver.crt"), "--tls-private-key-file=" + l.pki("apiserver.key"),
			"--client-ca-file=" + l.pki("ca.crt"), "--anonymous-auth=false",
			"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true", "--profiling=false",
			"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile=" + l.pki("etcd-ca.crt"),
			"--etcd-certfile=" + l.pki("apiserver-etcd-client.crt"), "--etcd-keyfile=" + l.pki("apiserver-etcd-client.key"),
			"--kubelet-certificate-authority=" + l.pki("ca.crt"),
			"--kubelet-client-certificate=" + l.pki("apiserver-kubelet-client.crt"),
			"--kubelet-client-key=" + l.pki("apiserver-kubelet-client.key"),
			// The node's name does not resolve.
			"--kubelet-preferred-address-types=InternalIP",
			"--service-cluster-ip-range=" + serviceCIDR,
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + l.pki("sa.pub"), "--service-account-signing-key-file=" + l.pki("sa.key"),
		},
		files: []string{
			l.pki("apiserver.crt"), l.pki("ca.crt"), l.pki("etcd-ca.crt"),
			l.pki("apiserver-etcd-client.crt"), l.pki("apiserver-kubelet-client.crt"), l.pki("sa.pub"),
		},
		listens: []string{hostAddress + ":6443"},
	}
}

func (l layout) controllerManager() component {
	kubeconfig := l.config(kubeControllerManager + ".kubeconfig")
	return component{
		name: kubeControllerManager,
		args: append(l.localServing(kubeconfig, "10257"),
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+l.pki("sa.key"), "--root-ca-file="+l.pki("ca.crt"),
			"--service-cluster-ip-range="+serviceCIDR,
			"--allocate-node-cidrs=true", "--cluster-cidr="+podCIDR,
			// The one node gets the whole range: the CNI configuration is fixed.
			"--node-cidr-mask-size=16",
			// After an outage of the API server its view of the node is older than the default of 50 s, and pods that
			// run would lose their endpoints. There is no other node to move them to.
			"--node-monitor-grace-period=10m",
			// Its default is made outside the run directory.
			"--flex-volume-plugin-dir="+l.state("volume-plugins"),
		),
		files:   []string{kubeconfig, l.pki("local-server.crt"), l.pki("sa.pub")},
		listens: []string{"127.0.0.1:10257"},
	}
}

func (l layout) scheduler() component {
	kubeconfig := l.config(kubeScheduler + ".kubeconfig")
	return component{
		name:    kubeScheduler,
		args:    l.localServing(kubeconfig, "10259"),
		files:   []string{kubeconfig, l.pki("local-server.crt")},
		listens: []string{"127.0.0.1:10259"},
	}
}

// localServing are the flags that the controller manager and the scheduler
// share; their default is to listen on every interface.
func (l layout) localServing(kubeconfig, port string) []string {
	return []string{
		"--bind-address=127.0.0.1", "--secure-port=" + port, "--profiling=false", "--leader-elect=false",
		"--tls-cert-file=" + l.pki("local-server.crt"), "--tls-private-key-file=" + l.pki("local-server.key"),
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
	}
}

func (l layout) kubelet() component {
	config, kubeconfig := l.config("kubelet.yaml"), l.config(kubeletName+".kubeconfig")
	return component{
		name: kubeletName,
		args: []string{
			"--config=" + config, "--kubeconfig=" + kubeconfig, "--root-dir=" + l.kubeletRoot(), "--cert-dir=" + l.state("pki"),
			"--hostname-override=" + nodeName, "--node-ip=" + hostAddress,
			"--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=local",
		},
		files:   []string{config, kubeconfig, l.pki("kubelet-server.crt"), l.pki("ca.crt")},
		listens: []string{hostAddress + ":10250", "127.0.0.1:10248"},
	}
}

func (l layout) kubeProxy() component {
	config, kubeconfig := l.config("kube-proxy.yaml"), l.config(kubeProxy+".kubeconfig")
	return component{
		name:    kubeProxy,
		args:    []string{"--config=" + config},
		files:   []string{config, kubeconfig},
		listens: []string{"127.0.0.1:10249", "127.0.0.1:10256"},
	}
}

// sealed returns the component with its digest: of the Kubernetes version, its
// command line and the files that it reads.
func (comp component) sealed() (component, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n", version.Get().GitVersion, comp.path, comp.args)
	for _, path := range comp.files {
		if err := hashFile(h, path); err != nil {
			return component{}, fmt.Errorf("reading what %s starts with: %w", comp.name, err)
		}
	}
	comp.digest = hex.EncodeToString(h.Sum(nil))
	return comp, nil
}

func hashFile(w io.Writer, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %d\n%s", path, len(text), text)
	return nil
}

//go:embed config
var configFiles embed.FS

// settings are the values of the configuration templates.
type settings struct {
	NodeName, HostAddress, PodCIDR, CNINetwork, PodBridge, PauseImage          string
	PKI, Config, Containerd, Socket, CRIEndpoint, VolumePlugins, PodLogs, IPAM string
	CNIPlugins, Snapshotter                                                    string
}

func (l layout) settings(cniPlugins, snapshotter string) settings {
	return settings{
		NodeName: nodeName, HostAddress: hostAddress, PodCIDR: podCIDR,
		CNINetwork: cniNetwork, PodBridge: podBridge, PauseImage: pauseImage,
		PKI: l.state("pki"), Config: l.state("config"), Containerd: l.state("containerd"),
		Socket: l.socket(), CRIEndpoint: l.criEndpoint(),
		VolumePlugins: l.state("volume-plugins"), PodLogs: l.podLogs(), IPAM: l.ipam(),
		CNIPlugins: cniPlugins, Snapshotter: snapshotter,
	}
}

// renderConfig returns the configuration files by their name in the config directory.
func renderConfig(s settings) (map[string][]byte, error) {
	templates, err := template.New("").Option("missingkey=error").ParseFS(configFiles, "config/*")
	if err != nil {
		return nil, fmt.Errorf("parsing the configuration templates: %w", err)
	}
	names, err := fs.Glob(configFiles, "config/*")
	if err != nil {
		return nil, fmt.Errorf("listing the configuration templates: %w", err)
	}
	slices.Sort(names)
	rendered := make(map[string][]byte, len(names))
	for _, name := range names {
		var text bytes.Buffer
		base := filepath.Base(name)
		if err := templates.ExecuteTemplate(&text, base, s); err != nil {
			return nil, fmt.Errorf("rendering %s: %w", base, err)
		}
		if base == "cni.conflist" {
			base = "cni/10-yingda.conflist"
		}
		rendered[base] = text.Bytes()
	}
	return rendered, nil
}
