package main

import (
	"context"
	"fmt"
	"net"
	"os"
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
	unsettledWord = "unsettled"
	sampleBrand   = "lumi"
	simulatorURL  = "http://" + simulator
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

// chooseKafka returns the broker that will run: kfake where Apache Kafka cannot.
func (l *local) chooseKafka(ctx context.Context, wanted string) (string, error) {
	switch wanted {
	case kfake:
		return kfake, nil
	case apache:
		if _, err := l.output(ctx, l.bin("stack"), "apache-kafka", "--check", "--dir", l.data("kafka-apache")); err != nil {
			lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
			l.step("Kafka is kfake: %s", strings.TrimPrefix(lines[len(lines)-1], "stack: "))
			return kfake, nil
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

// stopServer ends a server as a crash would.
func (l *local) stopServer(s server) error {
	if !l.processes.running(s.name) {
		fmt.Printf("%s does not run\n", s.name)
		return nil
	}
	if err := l.processes.kill(s.name); err != nil {
		return err
	}
	fmt.Printf("%s is stopped; bin/local start %s starts it again\n", s.name, s.name)
	return nil
}

func (l *local) startAgain(ctx context.Context, s server) error {
	if l.processes.running(s.name) {
		fmt.Printf("%s runs already at %s\n", s.name, s.address)
		return nil
	}
	if err := l.processes.start(s.name, s.program, s.args...); err != nil {
		return err
	}
	if err := l.awaitServer(ctx, s); err != nil {
		return err
	}
	fmt.Printf("%s runs at %s; its log is %s\n", s.name, s.address, l.processes.log(s.name))
	return nil
}

// onServer does something with one of the servers, for fault tests.
func (l *local) onServer(name string, f func(server) error) error {
	for _, s := range l.servers(l.lastKafka().kafka) {
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

// brokerNote is what a file says of the broker that ran last.
type brokerNote struct {
	// kafka is empty when none ever ran.
	kafka string
	// unsettled says that the brand's topics may be missing on it.
	unsettled bool
}

// switchKafka ends the other broker and notes which one runs from now on. The two keep their data apart: after a switch the
// brands' topics are missing, and the note says so until settleKafka, however often up is interrupted before that.
func (l *local) switchKafka(kafka string) error {
	last := l.lastKafka()
	if last.kafka == kafka {
		return nil
	}
	if err := l.processes.end("kafka"); err != nil {
		return err
	}
	return l.noteKafka(brokerNote{kafka: kafka, unsettled: last.kafka != ""})
}

// settleKafka has every brand set up again where the broker was switched: without its Job the operator makes a new one.
func (l *local) settleKafka(ctx context.Context) error {
	last := l.lastKafka()
	if !last.unsettled {
		return nil
	}
	if _, err := l.kubectl(ctx, "delete", "jobs", "--all-namespaces", "-l", "app.kubernetes.io/component=setup"); err != nil {
		return err
	}
	return l.noteKafka(brokerNote{kafka: last.kafka})
}

// The file holds the broker's name, and a second word while it is unsettled.
func (l *local) noteKafka(note brokerNote) error {
	text := note.kafka
	if note.unsettled {
		text += " " + unsettledWord
	}
	if err := os.WriteFile(l.kafkaFile(), []byte(text+"\n"), 0o644); err != nil {
		return fmt.Errorf("noting the broker: %w", err)
	}
	return nil
}

func (l *local) lastKafka() brokerNote {
	text, err := os.ReadFile(l.kafkaFile())
	if err != nil {
		return brokerNote{}
	}
	kafka, word, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return brokerNote{kafka: kafka, unsettled: word == unsettledWord}
}

func (l *local) kafkaFile() string { return filepath.Join(l.run, "kafka") }
