// Command prober is what the cluster's end-to-end test runs in a pod: it asks
// the API server through the kubernetes Service with the pod's own token, then
// serves the answer over HTTP. For exec, "say" echoes its words and "get" asks
// every replica of a Service at some time: it asks several times.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "say" {
		fmt.Println(strings.Join(os.Args[2:], " "))
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "get" {
		if err := get(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "prober:", err)
			os.Exit(1)
		}
		return
	}
	status, err := askAPIServer()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prober:", err)
		os.Exit(1)
	}
	fmt.Println("api server says", status)
	server := http.Server{
		Addr:              ":8080",
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, "api server says", status)
		}),
	}
	fmt.Fprintln(os.Stderr, "prober:", server.ListenAndServe())
	os.Exit(1)
}

// get asks often enough to meet both replicas, itself included, and prints the
// last answer.
func get(url string) error {
	const rounds = 16
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var answer []byte
	for range rounds {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("making the request: %w", err)
		}
		response, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("asking the service: %w", err)
		}
		answer, err = io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
	}
	_, err := os.Stdout.Write(answer)
	return err
}

func askAPIServer() (string, error) {
	ca, err := os.ReadFile(filepath.Join(accountDir, "ca.crt"))
	if err != nil {
		return "", fmt.Errorf("reading the cluster's certificate authority: %w", err)
	}
	token, err := os.ReadFile(filepath.Join(accountDir, "token"))
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}
	url := "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")) + "/version"
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("making the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the API server: %w", err)
	}
	return response.Status, response.Body.Close()
}
