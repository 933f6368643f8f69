// Package apachekafka runs Apache Kafka itself in the foreground: one node that is broker and controller (KRaft), fetched with
// Maven and run with the machine's Java. It is for trying the product on the real broker; it configures nothing that a
// production cluster would need.
//
// Invariants: every listener is on the address given, data survive kill -9, and the Java process never outlives this one.
package apachekafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/yingda-dev/yingda/hack/stack/internal/child"
	"github.com/yingda-dev/yingda/hack/stack/internal/lock"
)

// DefaultVersion is the newest release that Maven could resolve completely when this was written.
const DefaultVersion = "4.3.1"

const (
	startTimeout = 120 * time.Second
	stopGrace    = 30 * time.Second
)

// Options say what runs, where it listens, and where it keeps its programs and data.
type Options struct {
	Listen netip.AddrPort
	// Controller is the address of the controller's own listener; it may differ from start to start.
	Controller netip.AddrPort
	Dir        string
	Version    string
	// Note tells the person who started the stack something worth knowing.
	Note func(string)
}

// Run serves until ctx ends, and calls ready once clients can connect. See package child for the thread it must run on.
func Run(ctx context.Context, options Options, ready func()) error {
	java, err := findJava()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return fmt.Errorf("resolving the directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	held, err := lock.Take(ctx, filepath.Join(dir, ".lock"))
	if err != nil {
		return err
	}
	options.Dir = dir
	return errors.Join(serve(ctx, java, held, options, ready), held.Close())
}

func serve(ctx context.Context, java string, held *os.File, options Options, ready func()) error {
	jars, err := install(ctx, options.Dir, options.Version, options.Note)
	if err != nil {
		return err
	}
	properties := filepath.Join(options.Dir, "server.properties")
	if err := os.WriteFile(properties, []byte(settings(options)), 0o600); err != nil {
		return fmt.Errorf("writing Kafka's settings: %w", err)
	}
	logging := filepath.Join(options.Dir, "log4j2.properties")
	if err := os.WriteFile(logging, []byte(loggingSettings), 0o600); err != nil {
		return fmt.Errorf("writing Kafka's log settings: %w", err)
	}
	common := []string{
		"-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + logging, "-cp", filepath.Join(jars, "*"),
	}
	if err := format(ctx, java, common, options, properties); err != nil {
		return err
	}
	command := exec.Command(java, append(common, "kafka.Kafka", properties)...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.ExtraFiles = []*os.File{held}
	signals := child.Signals{Stop: syscall.SIGTERM, Abort: syscall.SIGKILL, Grace: stopGrace}
	return child.Run(ctx, command, signals, func(ctx context.Context) error {
		if err := waitReady(ctx, options.Listen); err != nil {
			return err
		}
		ready()
		return nil
	})
}

func dataDir(options Options) string { return filepath.Join(options.Dir, "data") }

// format gives a new data directory its identity; one that has it is left alone.
func format(ctx context.Context, java string, common []string, options Options, properties string) error {
	_, err := os.Stat(filepath.Join(dataDir(options), "meta.properties"))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for Kafka's data: %w", err)
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return fmt.Errorf("making a cluster id: %w", err)
	}
	id[0] &= 0x7f // Kafka's tools read an id that begins with a dash as a flag.
	args := append(append([]string{}, common...), "kafka.tools.StorageTool", "format", "--ignore-formatted",
		"--cluster-id="+base64.RawURLEncoding.EncodeToString(id), "--config", properties)
	//nolint:gosec // G204: every argument is made here.
	output, err := exec.CommandContext(ctx, java, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("formatting Kafka's storage: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

func settings(options Options) string {
	return strings.Join([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@" + options.Controller.String(),
		"listeners=CLIENTS://" + options.Listen.String() + ",CONTROLLER://" + options.Controller.String(),
		"advertised.listeners=CLIENTS://" + options.Listen.String(),
		"listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name=CLIENTS",
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + dataDir(options),
		"auto.create.topics.enable=false",
		// One node: the internal topics cannot have three replicas.
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=8",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.replication.factor=1",
		"share.coordinator.state.topic.min.isr=1",
		// After a crash the controller refuses the broker until its former self's session has run out: 9 s by default.
		"broker.session.timeout.ms=2000",
		"broker.heartbeat.interval.ms=500",
		// The default of 3 s before a group's first assignment is for fleets that start together.
		"group.initial.rebalance.delay.ms=0",
		"",
	}, "\n")
}

const loggingSettings = `status = error
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
`

// waitReady asks for a group's coordinator until there is one: the topic that groups live in is made by the first to ask, and
// who joins a group meanwhile is turned away. A context that ends is no failure: Kafka was asked to stop.
func waitReady(ctx context.Context, address netip.AddrPort) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address.String()), kgo.Dialer(dial))
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer client.Close()
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		err := askCoordinator(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-deadline.C:
			return fmt.Errorf("waiting for Apache Kafka: %w", err)
		case <-retry.C:
		}
	}
}

func askCoordinator(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKey = "yingda"
	request.CoordinatorKeys = []string{request.CoordinatorKey} // Newer versions of the request have a list.
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("asking for a group's coordinator: %w", err)
	}
	codes := []int16{response.ErrorCode}
	for _, coordinator := range response.Coordinators {
		codes = append(codes, coordinator.ErrorCode)
	}
	for _, code := range codes {
		if err := kerr.ErrorForCode(code); err != nil {
			return fmt.Errorf("asking for a group's coordinator: %w", err)
		}
	}
	return nil
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: time.Second}
	return dialer.DialContext(ctx, network, address)
}
