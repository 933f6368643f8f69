package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Where everything listens: the host's side of the pod network.
const (
	hostIP        = "10.97.0.1"
	kafkaAddress  = hostIP + ":9092"
	temporal      = hostIP + ":7233"
	temporalUI    = hostIP + ":8233"
	postgresPort  = "5432"
	simulator     = hostIP + ":8090"
	tracesOTLP    = hostIP + ":4317"
	tracesPage    = hostIP + ":8235"
	kfake         = "kfake"
	apache        = "apache"
	sampleBrand   = "lumi"
	startDeadline = 90 * time.Second
)

// server is one process beside the cluster.
type server struct {
	name    string
	program string
	args    []string
	// address answers once the server is ready.
	address string
}

// servers are all processes beside the cluster, in the order in which they start.
func (l *local) servers(kafka string) []server {
	stack, data := l.bin("stack"), l.data
	broker := server{"kafka", stack, []string{"kafka", "--listen", kafkaAddress, "--data", data("kafka-kfake")}, kafkaAddress}
	if kafka == apache {
		broker.args = []string{"apache-kafka", "--listen", kafkaAddress, "--dir", data("kafka-apache")}
	}
	return []server{
		{"postgres", stack, []string{"postgres", "--listen", hostIP, "--port", postgresPort, "--data", data("postgres")}, net.JoinHostPort(hostIP, postgresPort)},
		broker,
		{"temporal", stack, []string{"temporal", "--listen", temporal, "--ui", temporalUI, "--data", data("temporal.db")}, temporal},
		{"wechatsim", l.bin("wechatsim"), []string{"--listen", simulator, "--state", data("wechatsim.json"), "--public-url", "http://" + simulator}, simulator},
		{"traces", l.bin("traces"), []string{"--listen", tracesOTLP, "--http", tracesPage}, tracesPage},
	}
}

// chooseKafka returns the broker that will run: kfake where Apache Kafka's needs are missing.
func (l *local) chooseKafka(wanted string) (string, error) {
	switch wanted {
	case kfake:
		return kfake, nil
	case apache:
		for _, program := range []string{"java", "mvn"} {
			if _, err := exec.LookPath(program); err != nil {
				l.step("Apache Kafka needs %s, which is not installed: using kfake", program)
				return kfake, nil
			}
		}
		return apache, nil
	default:
		return "", fmt.Errorf("there is no broker %q: use kfake or apache", wanted)
	}
}

// startServers starts what does not run and waits until all of it answers.
func (l *local) startServers(ctx context.Context, kafka string) error {
	if err := os.MkdirAll(l.data(""), 0o755); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if err := l.switchKafka(kafka); err != nil {
		return err
	}
	for _, s := range l.servers(kafka) {
		if err := l.processes.start(s.name, s.program, s.args...); err != nil {
			return err
		}
	}
	for _, s := range l.servers(kafka) {
		if err := l.awaitServer(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (l *local) startServer(ctx context.Context, s server) error {
	if err := l.processes.start(s.name, s.program, s.args...); err != nil {
		return err
	}
	return l.awaitServer(ctx, s)
}

// onServer does something with one of the servers, for fault tests.
func (l *local) onServer(name string, f func(server) error) error {
	kafka := l.lastKafka()
	for _, s := range l.servers(kafka) {
		if s.name == name {
			return f(s)
		}
	}
	return fmt.Errorf("there is no server %q: postgres, kafka, temporal, wechatsim, traces", name)
}

func (l *local) awaitServer(ctx context.Context, s server) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
		if err == nil {
			return conn.Close()
		}
		if !l.processes.running(s.name) || ctx.Err() != nil {
			return fmt.Errorf("%s did not come up: the end of %s:\n%s", s.name, l.processes.log(s.name), l.processes.tail(s.name))
		}
		time.Sleep(pollInterval)
	}
}

// The two brokers keep their data apart. A switch leaves the topics behind, so that the brand has to be set up again.
func (l *local) switchKafka(kafka string) error {
	last := l.lastKafka()
	if last != kafka {
		if err := l.processes.end("kafka"); err != nil {
			return err
		}
		l.switched = last != ""
	}
	if err := os.WriteFile(l.kafkaFile(), []byte(kafka+"\n"), 0o644); err != nil {
		return fmt.Errorf("noting the broker: %w", err)
	}
	return nil
}

func (l *local) lastKafka() string {
	text, err := os.ReadFile(l.kafkaFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (l *local) kafkaFile() string { return filepath.Join(l.run, "kafka") }

// databaseURLs makes the sample brand's database and returns the owner's and the connectors' connection strings.
func (l *local) databaseURLs(ctx context.Context) (owner, connector string, err error) {
	brands := l.data("postgres/brands")
	if _, err := l.output(ctx, l.bin("stack"), "postgres-ensure", "--url-file", l.data("postgres/superuser.url"), "--database", sampleBrand, "--out", brands); err != nil {
		return "", "", err
	}
	read := func(file string) string {
		text, readErr := os.ReadFile(filepath.Join(brands, file))
		err = errors.Join(err, readErr)
		return strings.TrimSpace(string(text))
	}
	return read(sampleBrand + ".url"), read(sampleBrand + "_connector.url"), err
}
