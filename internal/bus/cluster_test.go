package bus_test

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

const password = "correct horse battery staple"

// secured is a broker that asks something of its clients, and a cluster that gives it all of it.
type secured struct {
	t         *testing.T
	authority *testenv.Authority
	cluster   bus.Cluster
}

// demand adds to what the broker asks, and has the cluster give it.
type demand func(*secured, *testenv.KafkaSecurity)

func newSecured(t *testing.T, demands ...demand) *secured {
	t.Helper()
	s := &secured{t: t, authority: testenv.NewAuthority(t)}
	var security testenv.KafkaSecurity
	for _, add := range demands {
		add(s, &security)
	}
	s.cluster.Brokers = []string{testenv.NewServer(t, testenv.StartSecuredKafka(security)).Address()}
	return s
}

func byTLS(s *secured, security *testenv.KafkaSecurity) {
	security.Certificate = s.authority.Issue("broker")
	s.cluster.TLS = &tlsfiles.Files{CA: s.authority.CAFile}
}

// signingIn has the broker know one user, and the cluster sign in as that.
func signingIn(mechanism string) demand {
	return func(s *secured, security *testenv.KafkaSecurity) {
		security.Mechanism, security.Username, security.PasswordFile = mechanism, "lumi", s.file("password", password)
		s.cluster.SASL = &bus.SASL{Mechanism: mechanism, UsernameFile: s.file("username", "lumi\n"), PasswordFile: s.file("mounted", password+"\n")}
	}
}

// mutually has the broker want a client certificate, too.
func mutually(s *secured, security *testenv.KafkaSecurity) {
	security.ClientCAFile = s.authority.CAFile
	own := s.authority.Issue("lumi")
	s.cluster.TLS.Certificate, s.cluster.TLS.Key = own.CertFile, own.KeyFile
}

func (s *secured) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func ensure(ctx context.Context, cluster bus.Cluster, topics ...string) error {
	return bus.EnsureTopics(ctx, cluster, topics, bus.Topology{Partitions: 2, ReplicationFactor: 1, Retention: time.Hour})
}

func TestEveryClientGetsIntoASecuredCluster(t *testing.T) {
	t.Parallel()
	for name, demands := range map[string][]demand{
		"by TLS":                       {byTLS},
		"by a client certificate":      {byTLS, mutually},
		"by TLS and PLAIN":             {byTLS, signingIn(bus.MechanismPlain)},
		"by TLS and SCRAM-SHA-256":     {byTLS, signingIn(bus.MechanismScramSHA256)},
		"by SCRAM-SHA-512 alone":       {signingIn(bus.MechanismScramSHA512)},
		"by all that there is to give": {byTLS, mutually, signingIn(bus.MechanismScramSHA512)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, demands...)
			topic := testenv.Unique("inbound")
			if err := ensure(t.Context(), s.cluster, topic, topic+"-dead"); err != nil {
				t.Fatal(err)
			}
			if err := s.cluster.Reach(t.Context()); err != nil {
				t.Error(err)
			}
			s.carry(topic)
		})
	}
}

// carry sees that what a producer writes reaches a consumer and a tail.
func (s *secured) carry(topic string) {
	s.t.Helper()
	producer := bus.NewProducer(s.cluster)
	s.t.Cleanup(func() { _ = producer.Close() })
	w := &world{t: s.t, cluster: s.cluster, topic: topic, dead: topic + "-dead", group: topic, producer: producer}
	tailed, listening := newLedger(), make(chan struct{})
	w.run(func(ctx context.Context) error {
		return bus.Tail(ctx, s.cluster, topic, slog.New(slog.DiscardHandler), func() { close(listening) }, func(e message.Envelope) {
			_ = tailed.handle(ctx, 0, []message.Envelope{e})
		})
	})
	consumed := newLedger()
	w.consume(consumed.handle)
	select {
	case <-listening:
	case <-time.After(patience):
		s.t.Fatal("the tail does not listen")
	}
	keys := customers(3)
	w.publishNumbers(keys, 1, 2)
	tailed.await(s.t, keys, 2)
	consumed.await(s.t, keys, 2)
}

func TestASecuredClusterThatRefusesSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		demands []demand
		edit    demand
		want    string
	}{
		"an authority that nobody named": {[]demand{byTLS}, func(s *secured, _ *testenv.KafkaSecurity) { s.cluster.TLS.CA = "" }, "ca.crt of the Secret that spec.kafka.tls names"},
		"another authority": {[]demand{byTLS}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.TLS.CA = testenv.NewAuthority(s.t).CAFile
		}, "ca.crt of the Secret that spec.kafka.tls names"},
		"a certificate for another name": {[]demand{byTLS}, func(s *secured, security *testenv.KafkaSecurity) {
			security.Certificate = s.authority.Issue("elsewhere", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 9)} })
		}, "by a name that the server's certificate holds"},
		"a certificate of yesterday": {[]demand{byTLS}, func(s *secured, security *testenv.KafkaSecurity) {
			security.Certificate = s.authority.Issue("old", func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			})
		}, "renew the server's certificate"},
		"a broker without TLS": {[]demand{byTLS}, func(_ *secured, security *testenv.KafkaSecurity) {
			security.Certificate = testenv.Certificate{}
		}, "remove spec.kafka.tls"},
		"a client without TLS": {[]demand{byTLS}, func(s *secured, _ *testenv.KafkaSecurity) { s.cluster.TLS = nil }, "set spec.kafka.tls"},
		"a client that signs in without TLS": {[]demand{byTLS, signingIn(bus.MechanismScramSHA256)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.TLS = nil
		}, "or their listener wants TLS: spec.kafka.tls"},
		"a client without a certificate": {[]demand{byTLS}, func(s *secured, security *testenv.KafkaSecurity) {
			mutually(s, security)
			s.cluster.TLS.Certificate, s.cluster.TLS.Key = "", ""
		}, "the server wants a client certificate"},
		"a client with a stranger's certificate": {[]demand{byTLS}, func(s *secured, security *testenv.KafkaSecurity) {
			mutually(s, security)
			strange := testenv.NewAuthority(s.t).Issue("stranger")
			s.cluster.TLS.Certificate, s.cluster.TLS.Key = strange.CertFile, strange.KeyFile
		}, "an authority of the server's signed"},
		"a Secret without the client's key": {[]demand{byTLS}, func(s *secured, security *testenv.KafkaSecurity) {
			mutually(s, security)
			s.cluster.TLS.Key = filepath.Join(s.t.TempDir(), "tls.key")
		}, "tls.key: no such file"},
		"another password": {[]demand{byTLS, signingIn(bus.MechanismScramSHA512)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL.PasswordFile = s.file("wrong", "another "+password)
		}, "set username and password in the Secret that spec.kafka.sasl names"},
		"another password by PLAIN": {[]demand{byTLS, signingIn(bus.MechanismPlain)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL.PasswordFile = s.file("wrong", "another "+password)
		}, "set username and password in the Secret that spec.kafka.sasl names"},
		"a user whom the mechanism does not know": {[]demand{byTLS, signingIn(bus.MechanismScramSHA512)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL.Mechanism = bus.MechanismScramSHA256
		}, "for this mechanism"},
		"a password that SCRAM cannot take": {[]demand{signingIn(bus.MechanismScramSHA256)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL.PasswordFile = s.file("odd", password+"\x07")
		}, "characters that SCRAM-SHA-256 does not allow"},
		"a Secret without a password": {[]demand{signingIn(bus.MechanismScramSHA256)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL.PasswordFile = filepath.Join(s.t.TempDir(), "password")
		}, "password: no such file"},
		"a password in plain text": {[]demand{signingIn(bus.MechanismPlain)}, func(*secured, *testenv.KafkaSecurity) {}, "use TLS, or SCRAM-SHA-512"},
		"a client that does not sign in": {[]demand{signingIn(bus.MechanismScramSHA256)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL = nil
		}, "if it wants a user, spec.kafka.sasl"},
		"a client that does not sign in by TLS": {[]demand{byTLS, signingIn(bus.MechanismScramSHA256)}, func(s *secured, _ *testenv.KafkaSecurity) {
			s.cluster.SASL = nil
		}, "if their listener wants a user, set spec.kafka.sasl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSecured(t, append(tt.demands, tt.edit)...)
			// Why a certificate is refused may be lost with the connection that it was refused on.
			eventually(t, func() bool {
				err := ensure(t.Context(), s.cluster, testenv.Unique("inbound"))
				if err == nil || strings.Contains(err.Error(), password) {
					t.Errorf("refused with %v, want an error without the password", err)
				}
				t.Log(err)
				return t.Failed() || strings.Contains(err.Error(), tt.want)
			})
		})
	}
}

func TestWhatIsMountedAnewIsInForceWithTheNextConnection(t *testing.T) {
	t.Parallel()
	s := newSecured(t, byTLS, signingIn(bus.MechanismScramSHA512), func(s *secured, _ *testenv.KafkaSecurity) {
		s.cluster.TLS.CA = s.file("ca.crt", "to come")
		s.cluster.SASL.PasswordFile = s.file("password", "to come")
	})
	topic := testenv.Unique("inbound")
	producer := bus.NewProducer(s.cluster)
	defer producer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := producer.Publish(ctx, topic, numbered(t, "shop/1", 1)); err == nil {
		t.Fatal("it was published by the files of before")
	}
	mount(t, s.authority.CAFile, s.cluster.TLS.CA)
	if err := os.WriteFile(s.cluster.SASL.PasswordFile, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ensure(t.Context(), s.cluster, topic); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return producer.Publish(t.Context(), topic, numbered(t, "shop/1", 1)) == nil })
}

func mount(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
