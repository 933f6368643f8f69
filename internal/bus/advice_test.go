package bus

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// What Kafka itself answers, and the broker of the tests does not.
func TestAdviceOnWhatKafkaRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the password":   {kafka.SASLAuthenticationFailed, "set username and password in the Secret"},
		"the mechanism":  {kafka.UnsupportedSASLMechanism, "set spec.kafka.sasl.mechanism"},
		"any sign-in":    {kafka.IllegalSASLState, "remove it where the listener asks for no user"},
		"a topic":        {kafka.TopicAuthorizationFailed, "grant Kafka's user"},
		"the cluster":    {kafka.ClusterAuthorizationFailed, "grant Kafka's user"},
		"plain text":     {errors.New("unexpected EOF: broker appears to be expecting TLS"), "set spec.kafka.tls"},
		"something else": {kafka.LeaderNotAvailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := Cluster{TLS: &tlsfiles.Files{}, SASL: &SASL{}}.explain(fmt.Errorf("looking for the topics: %w", tt.err))
			if !strings.Contains(err.Error(), tt.want) || (tt.want == "") != strings.HasSuffix(err.Error(), tt.err.Error()) {
				t.Errorf("explained as %q, want %q", err, tt.want)
			}
		})
	}
}
