package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// The mechanisms by which a client signs in.
const (
	MechanismPlain       = "PLAIN"
	MechanismScramSHA256 = "SCRAM-SHA-256"
	MechanismScramSHA512 = "SCRAM-SHA-512"
)

// Cluster is where the brokers are, and how they are spoken to. Files are read for every connection that is made, so that
// what is mounted anew is in force without a restart.
type Cluster struct {
	// Brokers are host:port addresses.
	Brokers []string
	// TLS is nil for connections in plain text.
	TLS *tlsfiles.Files
	// SASL is nil for brokers that ask nobody who they are.
	SASL *SASL
}

// errHandshake marks what failed before anything of Kafka was said.
var errHandshake = errors.New("speaking TLS")

// SASL is how a client signs in.
type SASL struct {
	// Mechanism is one of those above.
	Mechanism string
	// UsernameFile and PasswordFile hold the one and the other; a line break at the end does not count.
	UsernameFile, PasswordFile string
}

// dialer gives up on a silent broker before its caller has to end.
func (c Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{Timeout: dialTimeout, DualStack: true, DialFunc: c.dialFunc(), SASLMechanism: c.mechanism()}
}

// transport is for who speaks to the whole cluster. Whoever makes one closes its idle connections in the end.
func (c Cluster) transport(timeout time.Duration) *kafka.Transport {
	return &kafka.Transport{DialTimeout: timeout, Dial: c.dialFunc(), SASL: c.mechanism()}
}

// Reach is no error when one of the brokers takes a connection. It shakes hands where there is TLS, as brokers complain of who
// does not, and does not sign in.
func (c Cluster) Reach(ctx context.Context) error {
	ctx, enough := context.WithCancel(ctx)
	var knocks sync.WaitGroup
	defer knocks.Wait()
	defer enough()
	answers := make(chan error, len(c.Brokers))
	for _, broker := range c.Brokers {
		knocks.Go(func() {
			connection, err := c.dial(ctx, "tcp", broker)
			if err == nil {
				_ = connection.Close() // It was only to see that somebody answers.
			}
			answers <- err
		})
	}
	err := errors.New("no broker is named")
	for range c.Brokers {
		if err = <-answers; err == nil {
			return nil
		}
	}
	return fmt.Errorf("reaching a Kafka broker: %w", err)
}

// dialFunc leaves plain text to kafka-go.
func (c Cluster) dialFunc() func(ctx context.Context, network, address string) (net.Conn, error) {
	if c.TLS == nil {
		return nil
	}
	return c.dial
}

// dial shakes hands itself, and not kafka-go, which would keep the authorities that it was given at first.
func (c Cluster) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil || c.TLS == nil {
		return connection, err
	}
	secured, err := c.secure(ctx, connection, address)
	if err != nil {
		// The failure to tell is the handshake's.
		_ = connection.Close()
		return nil, fmt.Errorf("%w to %s: %w", errHandshake, address, err)
	}
	return secured, nil
}

func (c Cluster) secure(ctx context.Context, connection net.Conn, address string) (net.Conn, error) {
	config, err := c.TLS.Config()
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("finding the host: %w", err)
		}
		config.ServerName = host
	}
	secured := tls.Client(connection, config)
	return secured, secured.HandshakeContext(ctx)
}

// mechanism is nil, and not an interface that holds nil, for nobody.
func (c Cluster) mechanism() sasl.Mechanism {
	if c.SASL == nil {
		return nil
	}
	return &login{SASL: *c.SASL, inPlainText: c.TLS == nil}
}

// login signs in with what its files hold at that moment.
type login struct {
	SASL
	inPlainText bool
}

var _ sasl.Mechanism = (*login)(nil)

// Name implements sasl.Mechanism.
func (l *login) Name() string { return l.Mechanism }

// Start implements sasl.Mechanism.
func (l *login) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	username, err := readLine(l.UsernameFile)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the user's name: %w", err)
	}
	password, err := readLine(l.PasswordFile)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the user's password: %w", err)
	}
	var mechanism sasl.Mechanism = plain.Mechanism{Username: username, Password: password}
	switch l.Mechanism {
	case MechanismPlain:
		if l.inPlainText {
			return nil, nil, errors.New("PLAIN would send the password in plain text: use TLS, or " + MechanismScramSHA512)
		}
	case MechanismScramSHA256:
		mechanism, err = scram.Mechanism(scram.SHA256, username, password)
	case MechanismScramSHA512:
		mechanism, err = scram.Mechanism(scram.SHA512, username, password)
	default:
		return nil, nil, fmt.Errorf("signing in: the mechanism %s is not known", l.Mechanism)
	}
	if err != nil {
		// The library's error quotes them.
		return nil, nil, errors.New("the user's name or password holds characters that " + l.Mechanism + " does not allow")
	}
	return mechanism.Start(ctx)
}

func readLine(path string) (string, error) {
	content, err := os.ReadFile(path)
	return strings.TrimRight(string(content), "\r\n"), err
}

// explain says what to do about a cluster that did not let us in.
func (c Cluster) explain(err error) error {
	if err == nil {
		return nil
	}
	if advice := c.advice(err); advice != "" {
		return fmt.Errorf("%w: %s", err, advice)
	}
	return err
}

func (c Cluster) advice(err error) string {
	if c.TLS != nil {
		if advice := tlsfiles.Advice(err.Error(), "spec.kafka.tls"); advice != "" {
			return advice
		}
	}
	switch {
	case strings.Contains(err.Error(), "expecting TLS"): // kafka-go, of the alert by which Kafka answers plain text.
		return "set spec.kafka.tls"
	case errors.Is(err, errHandshake) && (closedOnUs(err) || errors.Is(err, context.DeadlineExceeded)):
		return "if nobody speaks TLS there, write the address of the port that does, or remove spec.kafka.tls"
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return refused
	case c.SASL != nil && closedOnUs(err):
		// Not all brokers say why.
		return "the brokers ended the connection; most likely " + refused + c.orElse()
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return "set spec.kafka.sasl.mechanism to one that the brokers' listener has"
	case errors.Is(err, kafka.IllegalSASLState):
		return "the brokers' listener and spec.kafka.sasl disagree: remove it where the listener asks for no user"
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed):
		return "grant Kafka's user all operations on topics and groups that start with the brand's prefix"
	case c.TLS == nil && closedOnUs(err):
		return "the brokers ended the connection: if their listener wants TLS, set spec.kafka.tls; if it wants a user, spec.kafka.sasl"
	case closedOnUs(err):
		return "the brokers ended the connection: if their listener wants a user, set spec.kafka.sasl; if it wants a client certificate, spec.kafka.tls.clientSecretRef"
	}
	return ""
}

const refused = "they refused the user or the password: set username and password in the Secret that spec.kafka.sasl names " +
	"as Kafka has them, for this mechanism"

func (c Cluster) orElse() string {
	if c.TLS == nil {
		return "; or their listener wants TLS: spec.kafka.tls"
	}
	return "; or they want a client certificate that they know: spec.kafka.tls.clientSecretRef"
}

// closedOnUs says that the connection was made and then ended, which is how brokers refuse what they do not understand.
func closedOnUs(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
