package listen

import "testing"

func TestParse(t *testing.T) {
	tests := map[string]struct {
		address string
		want    string
		fails   bool
	}{
		"an address and port stay as they are":  {address: "10.97.0.1:9092", want: "10.97.0.1:9092"},
		"every IPv4 interface is refused":       {address: "0.0.0.0:9092", fails: true},
		"every IPv6 interface is refused":       {address: "[::]:9092", fails: true},
		"a missing address is no every address": {address: ":9092", fails: true},
		"a name is refused":                     {address: "localhost:9092", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(t.Context(), test.address)
			if (err != nil) != test.fails {
				t.Fatalf("error: got %v, want one: %t", err, test.fails)
			}
			if err == nil && got.String() != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestPortZeroBecomesAFreePortBelowTheEphemeralOnes(t *testing.T) {
	got, err := Parse(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if got.Port() < firstPort || got.Port() > lastPort {
		t.Errorf("port %d is outside %d to %d", got.Port(), firstPort, lastPort)
	}
}
