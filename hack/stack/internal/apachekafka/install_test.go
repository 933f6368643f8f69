package apachekafka

import "testing"

func TestJavaMajor(t *testing.T) {
	tests := map[string]struct {
		output string
		want   int
		fails  bool
	}{
		"a version of today":         {output: `openjdk version "17.0.15" 2025-04-15`, want: 17},
		"a version without minor":    {output: `openjdk version "21" 2023-09-19`, want: 21},
		"the old way of counting":    {output: `java version "1.8.0_292"`, want: 1},
		"something that is not java": {output: "usage: java [file]", fails: true},
		"nothing at all":             {output: "", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := javaMajor(test.output)
			if (err != nil) != test.fails {
				t.Fatalf("error: got %v, want one: %t", err, test.fails)
			}
			if got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
