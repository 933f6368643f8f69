package duration

import (
	"regexp"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in      string
		want    time.Duration
		wantErr bool
	}{
		"hours":                            {in: "12h", want: 12 * time.Hour},
		"all units":                        {in: "1h30m5s", want: time.Hour + 30*time.Minute + 5*time.Second},
		"units in any order add up":        {in: "5s1h1h", want: 2*time.Hour + 5*time.Second},
		"zero is left to the caller":       {in: "0s", want: 0},
		"an empty text is refused":         {in: "", wantErr: true},
		"a number without unit is refused": {in: "12", wantErr: true},
		"zero without unit is refused":     {in: "0", wantErr: true},
		"a fraction is refused":            {in: "1.5h", wantErr: true},
		"a sign is refused":                {in: "-1h", wantErr: true},
		"a milliseconds unit is refused":   {in: "100ms", wantErr: true},
		"an overflow is refused":           {in: "9999999999h", wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tc.in)
			if (err != nil) != tc.wantErr || got != tc.want {
				t.Errorf("Parse(%q) = %v, %v; want %v, error %t", tc.in, got, err, tc.want, tc.wantErr)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	schema := regexp.MustCompile(`^([0-9]+(h|m|s))+$`)
	for _, seed := range []string{"1h", "1h30m", "0", "1ms", "mm", "1.5h", "99999999999999999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err == nil && (!schema.MatchString(text) || d < 0) {
			t.Errorf("Parse(%q) = %v, which the schema refuses", text, d)
		}
		if err != nil && len(text) <= len("999999h") && schema.MatchString(text) {
			t.Errorf("Parse(%q): %v, which the schema allows", text, err)
		}
	})
}
