package e2e

import (
	"fmt"
	"strings"
)

// parseEnv reads a shell file of lines "export NAME=value"; values may stand in single or double quotes.
func parseEnv(text string) (map[string]string, error) {
	env := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, fmt.Errorf("reading line %d: no NAME=value", i+1)
		}
		for _, quote := range []string{"'", `"`} {
			if len(value) >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
				value = value[1 : len(value)-1]
				break
			}
		}
		env[name] = value
	}
	return env, nil
}
