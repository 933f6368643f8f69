package apachekafka

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const oldestJava = 17

//go:embed pom.xml
var pom []byte

// findJava checks for the programs this package cannot do without, each with one line that says what to install.
func findJava() (java string, err error) {
	java, err = exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("java is missing: Apache Kafka needs Java %d or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)", oldestJava)
	}
	output, err := exec.Command(java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("asking java for its version: %w", err)
	}
	major, err := javaMajor(string(output))
	if err != nil {
		return "", err
	}
	if major < oldestJava {
		return "", fmt.Errorf("java is version %d: Apache Kafka needs Java %d or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)", major, oldestJava)
	}
	return java, nil
}

// findMaven is needed once for each version.
func findMaven() (string, error) {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return "", errors.New("mvn is missing: Apache Kafka is fetched with Maven (Debian, Ubuntu: apt-get install maven)")
	}
	return maven, nil
}

// Check says what is missing to run that version from dir, in one line; it neither fetches nor writes anything.
func Check(dir, version string) error {
	if _, err := findJava(); err != nil {
		return err
	}
	if _, err := os.Stat(jarsOf(dir, version)); err == nil {
		return nil
	}
	_, err := findMaven()
	return err
}

func jarsOf(dir, version string) string { return filepath.Join(dir, "kafka-"+version) }

// javaMajor reads 17 out of `openjdk version "17.0.15" 2025-04-15`, and 1 out of the old `java version "1.8.0_292"`.
func javaMajor(output string) (int, error) {
	match := regexp.MustCompile(`version "(\d+)`).FindStringSubmatch(output)
	if match == nil {
		return 0, errors.New("asking java for its version: it did not say one")
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0, fmt.Errorf("reading java's version: %w", err)
	}
	return major, nil
}

// install has Maven put Kafka's jars into a directory of their own, once for each version, complete or not at all.
func install(ctx context.Context, dir, version string, note func(string)) (jars string, err error) {
	jars = jarsOf(dir, version)
	if _, err := os.Stat(jars); err == nil {
		return jars, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("looking for Kafka's programs: %w", err)
	}
	maven, err := findMaven()
	if err != nil {
		return "", err
	}
	note("fetching Apache Kafka " + version + " with Maven (about 45 MB)")
	fresh := jars + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", fmt.Errorf("removing an unfinished download: %w", err)
	}
	project := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(project, pom, 0o600); err != nil {
		return "", fmt.Errorf("writing the Maven project: %w", err)
	}
	//nolint:gosec // G204: the version comes from the command line of a development program.
	command := exec.CommandContext(ctx, maven, "--batch-mode", "--quiet", "--file", project, "-Dkafka.version="+version,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+fresh)
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("fetching Apache Kafka %s with Maven: %w: %s", version, err, firstError(string(output)))
	}
	if err := os.Rename(fresh, jars); err != nil {
		return "", fmt.Errorf("placing Kafka's programs: %w", err)
	}
	return jars, nil
}

// firstError picks the line of Maven's many that says what went wrong.
func firstError(output string) string {
	for line := range strings.Lines(output) {
		if strings.Contains(line, "ERROR") {
			return strings.TrimSpace(line)
		}
	}
	return "it gave no reason"
}
