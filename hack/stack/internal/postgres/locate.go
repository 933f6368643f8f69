package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const debianBinaries = "/usr/lib/postgresql/*/bin"

// errNotInstalled is what a person reads who has no Postgres.
var errNotInstalled = errors.New("no PostgreSQL server programs found in PATH or " + debianBinaries +
	": install them (Debian, Ubuntu: apt-get install postgresql)")

// locate finds the directory of initdb and postgres. A data directory can be opened by its own major version alone, so what
// is in dataVersion (empty for a new one) decides; otherwise PATH comes first, then the newest that Debian's packages hold.
func locate(dataVersion string) (string, error) {
	var candidates []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(resolved))
		}
	}
	packaged, err := filepath.Glob(debianBinaries)
	if err != nil {
		return "", fmt.Errorf("looking for PostgreSQL: %w", err)
	}
	slices.SortFunc(packaged, func(a, b string) int { return packageMajor(b) - packageMajor(a) })
	candidates = append(candidates, packaged...)

	var found []string
	for _, candidate := range candidates {
		if !hasPrograms(candidate) {
			continue
		}
		if dataVersion == "" || majorOf(candidate) == dataVersion {
			return candidate, nil
		}
		found = append(found, candidate)
	}
	if len(found) > 0 {
		return "", fmt.Errorf("the data was made by PostgreSQL %s, and only %s is here: install that version, or move the data away",
			dataVersion, strings.Join(slices.Compact(found), ", "))
	}
	return "", errNotInstalled
}

func hasPrograms(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// packageMajor reads 15 out of /usr/lib/postgresql/15/bin.
func packageMajor(dir string) int {
	major, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return 0
	}
	return major
}

// majorOf asks the server program itself: "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
func majorOf(dir string) string {
	major, _, _ := strings.Cut(versionOf(dir), ".")
	return major
}

func versionOf(dir string) string {
	output, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return ""
	}
	fields := bytes.Fields(output)
	if len(fields) < 3 {
		return ""
	}
	return string(fields[2])
}

// dataVersionOf reads the major version of a cluster's files, empty when there are none yet.
func dataVersionOf(cluster string) (string, error) {
	content, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the data's PostgreSQL version: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}
