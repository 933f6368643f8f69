package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/segmentio/kafka-go"
	"go.temporal.io/api/serviceerror"
	workflowservice "go.temporal.io/api/workflowservice/v1"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/internal/wait"
)

// setupRun is one brand that the command sets up on real servers.
type setupRun struct {
	t                   *testing.T
	url, log, namespace string
	arguments           []string
}

func newSetupRun(t *testing.T, kafkaBroker, temporalAddress string) *setupRun {
	t.Helper()
	dir := t.TempDir()
	r := &setupRun{t: t, url: testenv.Database(t, nil), log: filepath.Join(dir, "termination"), namespace: testenv.Unique("shop")}
	r.write(filepath.Join(dir, "url"), r.url)
	r.write(filepath.Join(dir, "connector-url"), testenv.ConnectorURL(t, r.url))
	r.arguments = []string{
		"setup", "--namespace=" + r.namespace, "--brand=lumi", "--kafka-brokers=" + kafkaBroker,
		"--postgres-url-file=" + filepath.Join(dir, "url"), "--connector-url-file=" + filepath.Join(dir, "connector-url"),
		"--temporal-address=" + temporalAddress, "--temporal-namespace=" + r.namespace + "-lumi",
		"--replication-factor=1", "--pools=miniprogram", "--termination-log=" + r.log, "--log-level=error",
		"--health-address=127.0.0.1:0",
	}
	return r
}

func (r *setupRun) write(path, content string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// run runs the command with more arguments.
func (r *setupRun) run(more ...string) error {
	root := newRootCommand()
	root.SetArgs(append(r.arguments, more...))
	return root.ExecuteContext(r.t.Context())
}

func (r *setupRun) retention(broker string) map[string]string {
	r.t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(broker), Timeout: 10 * time.Second}
	request := &kafka.DescribeConfigsRequest{}
	for _, suffix := range []string{"inbound", "events", "dead-letter", "outbound.miniprogram"} {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: "yingda." + r.namespace + ".lumi." + suffix,
			ConfigNames: []string{"retention.ms"},
		})
	}
	answer, err := client.DescribeConfigs(r.t.Context(), request)
	if err != nil {
		r.t.Fatal(err)
	}
	got := map[string]string{}
	for _, resource := range answer.Resources {
		for _, entry := range resource.ConfigEntries {
			got[strings.TrimPrefix(resource.ResourceName, "yingda."+r.namespace+".lumi.")] = entry.ConfigValue
		}
	}
	return got
}

func TestSetupMakesAllThatABrandNeedsAndMayRunAgain(t *testing.T) {
	broker, address := testenv.Kafka(t), testenv.Temporal(t)
	r := newSetupRun(t, broker, address)
	for _, days := range []string{"7", "1"} {
		if err := r.run("--retention-days=" + days); err != nil {
			t.Fatal(err)
		}
		retention := map[string]string{"1": "86400000", "7": "604800000"}[days]
		want := map[string]string{"inbound": retention, "events": retention, "dead-letter": retention, "outbound.miniprogram": retention}
		if diff := cmp.Diff(want, r.retention(broker)); diff != "" {
			t.Errorf("retention.ms of the topics (-want +got):\n%s", diff)
		}
	}
	s, err := store.Open(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Queries().Standings(t.Context()); err != nil {
		t.Errorf("the schema is not there: %v", err)
	}
	declared, err := s.Queries().WorkerBuildDeclared(t.Context())
	if own, ownErr := build(); err != nil || ownErr != nil || declared.Build != own || declared.Turn != 1 {
		t.Errorf("setup declares the worker %+v with the errors %v and %v, want %s, once", declared, err, ownErr, own)
	}
	connector, err := pgx.Connect(t.Context(), testenv.ConnectorURL(t, r.url))
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close(t.Context())
	if _, err := connector.Exec(t.Context(), "SELECT FROM delivery"); err != nil {
		t.Errorf("the connectors have no rights: %v", err)
	}
	for _, table := range []string{"message", "keyset"} {
		if _, err := connector.Exec(t.Context(), "SELECT FROM "+table); err == nil {
			t.Errorf("the connectors may read the table %s", table)
		}
	}
	client, err := temporal.Dial(temporal.Options{Address: address, Namespace: r.namespace + "-lumi", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	description, err := client.WorkflowService().DescribeNamespace(t.Context(), describe(r.namespace+"-lumi"))
	if err != nil {
		t.Fatal(err)
	}
	if got := description.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); got != temporal.Retention {
		t.Errorf("ended workflows are kept for %s, want %s", got, temporal.Retention)
	}
}

func TestTeardownLeavesNothingAndSetupMayFollow(t *testing.T) {
	broker, address := testenv.Kafka(t), testenv.Temporal(t)
	r := newSetupRun(t, broker, address)
	if err := r.run("--pools=miniprogram-flagship"); err != nil {
		t.Fatal(err)
	}
	neighbour := newSetupRun(t, broker, address)
	if err := neighbour.run(); err != nil {
		t.Fatal(err)
	}
	for _, sentence := range []string{"all there was", "and once more, where nothing is"} {
		if err := r.tearDown(); err != nil {
			t.Fatalf("removing %s: %v", sentence, err)
		}
	}
	if topics := r.topics(broker); len(topics) > 0 {
		t.Errorf("topics are left: %q", topics)
	}
	if topics := neighbour.topics(broker); len(topics) != 4 {
		t.Errorf("of a neighbour's topics are left: %q", topics)
	}
	owner, err := pgx.Connect(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	var tables int
	if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables > 0 {
		t.Errorf("%d tables are left (%v)", tables, err)
	}
	client, err := temporal.Dial(temporal.Options{Address: address, Namespace: r.namespace + "-lumi", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.WorkflowService().DescribeNamespace(t.Context(), describe(r.namespace+"-lumi")); err == nil {
		t.Error("the Temporal namespace is left")
	}
	if err := r.run(); err != nil {
		t.Errorf("a Brand of the same name cannot be set up: %v", err)
	}
}

func TestTwoBrandsDoNotMeetInOneDatabaseNorInOneTemporalNamespace(t *testing.T) {
	broker, address := testenv.Kafka(t), testenv.Temporal(t)
	first := newSetupRun(t, broker, address)
	if err := first.run(); err != nil {
		t.Fatal(err)
	}
	// Of two values of a flag the later counts.
	database := "--postgres-url-file=" + strings.TrimPrefix(first.arguments[4], "--postgres-url-file=")
	for sentence, tt := range map[string]struct{ shared, want string }{
		"one database":           {database, "the database is another Brand's"},
		"one Temporal namespace": {"--temporal-namespace=" + first.namespace + "-lumi", "the Temporal namespace is not this Brand's"},
	} {
		t.Run(sentence, func(t *testing.T) {
			second := newSetupRun(t, broker, address)
			second.arguments = append(second.arguments, tt.shared)
			if err := second.run(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the second is set up with the error %v, want %q", err, tt.want)
			}
			if err := second.tearDown(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the second takes the first's data with it: error %v, want %q", err, tt.want)
			}
		})
	}
	if err := first.run(); err != nil {
		t.Errorf("the first cannot be set up again: %v", err)
	}
}

func TestTeardownSaysWhatItCouldNotRemove(t *testing.T) {
	r := newSetupRun(t, testenv.Kafka(t), testenv.Temporal(t))
	if err := os.Remove(strings.TrimPrefix(r.arguments[4], "--postgres-url-file=")); err != nil {
		t.Fatal(err)
	}
	if err := r.tearDown(); err == nil {
		t.Fatal("teardown succeeded without the database's login")
	}
	reason, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	if want := "reading the Postgres connection string"; !strings.Contains(string(reason), want) {
		t.Errorf("the termination message is %q, want %q in it", reason, want)
	}
}

// tearDown removes the brand's traces.
func (r *setupRun) tearDown() error {
	arguments := []string{"teardown"}
	for _, argument := range r.arguments[1:] {
		if name, _, _ := strings.Cut(argument, "="); name != "--connector-url-file" && name != "--replication-factor" && name != "--pools" {
			arguments = append(arguments, argument)
		}
	}
	root := newRootCommand()
	root.SetArgs(arguments)
	return root.ExecuteContext(r.t.Context())
}

// topics are the brand's.
func (r *setupRun) topics(broker string) []string {
	r.t.Helper()
	// Of its own: the one that all share remembers for seconds what there was.
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(broker), Timeout: 10 * time.Second, Transport: transport}
	all, err := client.Metadata(r.t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, topic := range all.Topics {
		if strings.HasPrefix(topic.Name, "yingda."+r.namespace+".lumi.") {
			names = append(names, topic.Name)
		}
	}
	return names
}

func TestSetupRefusesTopicsWithOtherPartitions(t *testing.T) {
	r := newSetupRun(t, testenv.Kafka(t), testenv.Temporal(t))
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	if err := r.run("--partitions=24"); err == nil {
		t.Fatal("setup accepted topics with other partitions")
	}
	reason, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	want := "inbound has 12"
	if !strings.Contains(string(reason), want) || strings.Count(string(reason), "\n") != 1 {
		t.Errorf("the termination message is %q, want one line with %q", reason, want)
	}
}

// newSecuredSetupRun starts a broker and a Temporal that want TLS, a client certificate and, the broker, a password; the run gets the flags.
func newSecuredSetupRun(t *testing.T) *setupRun {
	t.Helper()
	authority := testenv.NewAuthority(t)
	own, dir := authority.Issue("lumi"), t.TempDir()
	r := &setupRun{t: t}
	user := map[string]string{"username": "lumi", "password": "correct horse"}
	for name, value := range user {
		r.write(filepath.Join(dir, name), value)
	}
	broker := testenv.NewServer(t, testenv.StartSecuredKafka(testenv.KafkaSecurity{
		Certificate: authority.Issue("broker"), ClientCAFile: authority.CAFile,
		Mechanism: bus.MechanismScramSHA512, Username: user["username"], PasswordFile: filepath.Join(dir, "password"),
	}))
	r = newSetupRun(t, broker.Address(), testenv.EndTLS(t, testenv.Temporal(t), authority.Issue("frontend"), authority.CAFile))
	for _, service := range []string{"kafka", "temporal"} {
		r.arguments = append(r.arguments, "--"+service+"-tls", "--"+service+"-ca-file="+authority.CAFile,
			"--"+service+"-cert-file="+own.CertFile, "--"+service+"-key-file="+own.KeyFile)
	}
	r.arguments = append(r.arguments, "--kafka-sasl-mechanism=SCRAM-SHA-512",
		"--kafka-sasl-username-file="+filepath.Join(dir, "username"), "--kafka-sasl-password-file="+filepath.Join(dir, "password"))
	return r
}

func TestSetupAndTeardownGetIntoSecuredServices(t *testing.T) {
	r := newSecuredSetupRun(t)
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	if err := r.tearDown(); err != nil {
		t.Fatal(err)
	}
}

func TestSetupThatIsRefusedSaysWhatToDoAndNoSecret(t *testing.T) {
	r := newSecuredSetupRun(t)
	dir := t.TempDir()
	r.write(filepath.Join(dir, "password"), "battery staple")
	r.arguments = append(r.arguments, "--kafka-sasl-password-file="+filepath.Join(dir, "password"),
		"--temporal-ca-file="+testenv.NewAuthority(t).CAFile)
	// Long enough to be refused by each; the patience of a minute is not waited for.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	root := newRootCommand()
	root.SetArgs(r.arguments)
	if err := root.ExecuteContext(ctx); err == nil {
		t.Fatal("setup succeeded with another password and another authority")
	}
	reason, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"set username and password in the Secret that spec.kafka.sasl names", "ca.crt of the Secret that spec.temporal.tls names"} {
		if !strings.Contains(string(reason), want) {
			t.Errorf("the termination message does not say %q: %s", want, reason)
		}
	}
	if strings.Contains(string(reason), "battery staple") {
		t.Error("the termination message holds the password")
	}
}

func TestSetupWithoutTheKeyThatWrapsSaysSoAtOnce(t *testing.T) {
	r := newSetupRun(t, testenv.Kafka(t), testenv.Temporal(t))
	if err := r.run("--encryption-key-file=" + filepath.Join(t.TempDir(), "key")); err == nil {
		t.Fatal("setup succeeded without the key")
	}
	reason, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	if want := "openssl rand -base64 32"; !strings.Contains(string(reason), want) {
		t.Errorf("the termination message is %q, want %q in it", reason, want)
	}
}

func TestConnectorRole(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tt := range map[string]struct {
		file, role, failure string
	}{
		"connectors that use the owner's login":    {},
		"connectors with a login of their own":     {file: file("own", "postgres://lumi_connector:hunter2@db/lumi\n"), role: "lumi_connector"},
		"a Secret without the key url":             {file: filepath.Join(dir, "none"), failure: "looking for the connectors' login"},
		"a Secret that holds no connection string": {file: file("odd", "postgres://lumi:hunter2@db:port/lumi"), failure: "write postgres://user"},
	} {
		t.Run(name, func(t *testing.T) {
			role, err := (&setupFlags{connectorURLFile: tt.file}).connectorRole()
			if role != tt.role || (err != nil) != (tt.failure != "") {
				t.Fatalf("role %q and error %v, want %q and an error %q", role, err, tt.role, tt.failure)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.failure) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("error %v, want %q and no password", err, tt.failure)
			}
		})
	}
}

func TestSetupSaysWhatIsAwayWithinSecondsAndNoSecret(t *testing.T) {
	r := newSetupRun(t, "127.0.0.1:1", "127.0.0.1:1")
	r.write(strings.TrimPrefix(r.arguments[4], "--postgres-url-file="), "postgres://owner:hunter2@127.0.0.1:1/brand")
	const health = "127.0.0.44:8081"
	r.arguments = append(r.arguments, "--health-address="+health)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	root := newRootCommand()
	root.SetArgs(r.arguments)
	ended := make(chan error)
	go func() { ended <- root.ExecuteContext(ctx) }()
	wants := []string{
		"Kafka is out of reach: ", "check spec.kafka.bootstrapServers",
		"Postgres is out of reach: ", "check the url in the Secret that spec.postgres names",
		"Temporal is out of reach: ", "check spec.temporal.address",
	}
	missing := func(text string) []string {
		return slices.DeleteFunc(slices.Clone(wants), func(want string) bool { return strings.Contains(text, want) })
	}
	var told configz.Report
	for len(missing(told.Failing)) > 0 && wait.For(ctx, 50*time.Millisecond) {
		if report, err := configz.Ask(ctx, http.DefaultClient, "http://"+health); err == nil {
			told = report
		}
	}
	cancel() // The patience of a minute is not waited for.
	if err := <-ended; err == nil {
		t.Fatal("setup succeeded with nothing there")
	}
	reason, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"the operator is told": told.Failing, "the termination message is": string(reason)} {
		if lacking := missing(text); len(lacking) > 0 {
			t.Errorf("%s %q, without %q", where, text, lacking)
		}
		if len(text) > conditions.MaxMessageBytes+1 {
			t.Errorf("%s %d bytes long", where, len(text))
		}
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s the password", where)
		}
	}
}

func TestATryThatIsUnderWayIsNotCutOffWhenPatienceEnds(t *testing.T) {
	patience, end := context.WithCancel(t.Context())
	migration := onPostgres(time.Minute, func(ctx context.Context) error {
		end()
		return ctx.Err()
	})
	if err := persist(t.Context(), patience, slog.New(slog.DiscardHandler), migration, func(error) {}); err != nil {
		t.Errorf("the try ended with %v", err)
	}
	away, tries := errors.New("away"), 0
	failing := onPostgres(time.Minute, func(context.Context) error {
		tries++
		return away
	})
	if err := persist(t.Context(), patience, slog.New(slog.DiscardHandler), failing, func(error) {}); !errors.Is(err, away) || tries != 1 {
		t.Errorf("%d tries without patience, which ended with %v", tries, err)
	}
}

func TestExplanations(t *testing.T) {
	postgres := onPostgres(0, nil)
	for name, tt := range map[string]struct {
		err  error
		room int
		want string
	}{
		"a name that is not known": {
			&net.DNSError{Err: "no such host", Name: "db.infra"}, 512,
			"Postgres is out of reach: lookup db.infra: no such host; check the url in the Secret that spec.postgres names and the network",
		},
		"a service with which TLS failed": {
			serviceerror.NewUnavailable("authentication handshake failed: put the authority into ca.crt"), 512, "Postgres: authentication handshake failed: put the authority into ca.crt",
		},
		"a service that answers and refuses": {
			fmt.Errorf("reaching the database: %w", &pgconn.PgError{Severity: "FATAL", Code: "28P01", Message: "password authentication failed"}), 512,
			"Postgres: reaching the database: FATAL: password authentication failed (SQLSTATE 28P01); check the url in the Secret that spec.postgres names",
		},
		"a table that somebody holds": {
			fmt.Errorf("migrating the database: %w", &pgconn.PgError{Severity: "ERROR", Code: "55P03", Message: "canceling statement due to lock timeout"}), 512,
			"Postgres: migrating the database: ERROR: canceling statement due to lock timeout (SQLSTATE 55P03); another session holds the table:" +
				" end it (pg_stat_activity shows it), or wait, for it is tried again",
		},
		"what a driver says twice, on several lines": {errors.New("failed:\n\tdial: refused\n\tdial: refused"), 512, "Postgres: failed: dial: refused"},
		"a port that is another one at every try":    {errors.New("read udp 10.1.0.7:43211->10.96.0.10:53: i/o timeout"), 512, "Postgres: read udp 10.96.0.10:53: i/o timeout"},
		"no room for all of it, but for what it was": {
			&net.DNSError{Err: "no such host", Name: strings.Repeat("长", 40)}, 120,
			"Postgres is out of reach: …长长: no such host; check the url in the Secret that spec.postgres names and the network",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := postgres.explain(tt.err, tt.room)
			if diff := cmp.Diff(tt.want, got); diff != "" || len(got) > tt.room {
				t.Errorf("%d bytes (-want +got):\n%s", len(got), diff)
			}
		})
	}
}

func describe(namespace string) *workflowservice.DescribeNamespaceRequest {
	return &workflowservice.DescribeNamespaceRequest{Namespace: namespace}
}
