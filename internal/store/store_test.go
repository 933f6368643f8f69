package store_test

import (
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

func TestOnlyDataThatNoRetryHealsIsRefused(t *testing.T) {
	s := open(t)
	tests := map[string]struct {
		sql  string
		want bool
	}{
		"a character that no text holds":            {`SELECT E'\\x00'::bytea, convert_from('\x00', 'UTF8')`, true},
		"a number that is too large":                {`SELECT 3000000000::bigint::int`, true},
		"a missing value":                           {`INSERT INTO feed (agent, seq) VALUES ('a', NULL)`, true},
		"a month without a partition":               {`INSERT INTO message (id, conversation_id, channel, external_id, direction, sender, content, sent_at, received_at) VALUES (gen_random_uuid(), gen_random_uuid(), '', '', 'inbound', 'customer', '{}', now(), '2050-01-01')`, false},
		"a row that another replica made meanwhile": {`INSERT INTO feed (agent, seq) VALUES ('b', 1), ('b', 2)`, false},
		"a state that does not exist":               {`INSERT INTO media (id, channel, state, created_at) VALUES (gen_random_uuid(), '', 'burnt', now())`, false},
		"a table that is not there yet":             {`SELECT * FROM tomorrow`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := s.Pool().Exec(t.Context(), test.sql)
			if err == nil || store.IsRefused(err) != test.want {
				t.Errorf("refused is %v for %v, want %v", store.IsRefused(err), err, test.want)
			}
		})
	}
}

func TestAMessageWithoutADeliveryWaitsUntilItsRowMayBeGone(t *testing.T) {
	sent := scope().Now
	for age, want := range map[time.Duration]message.DeliveryState{
		0:                                  message.DeliveryQueued,
		store.DeliveriesKept - time.Second: message.DeliveryQueued,
		store.DeliveriesKept:               message.DeliveryDelivered,
		10 * store.DeliveriesKept:          message.DeliveryDelivered,
	} {
		if got := store.StateWithoutDelivery(sent, sent.Add(age)); got != want {
			t.Errorf("after %s the message is %s, want %s", age, got, want)
		}
	}
}
