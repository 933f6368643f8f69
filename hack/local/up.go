package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

const (
	operatorNamespace = "yingda-system"
	imageName         = "yingda"
	readyTimeout      = "180s"
)

// up brings everything up and proves it with one conversation.
func (l *local) up(ctx context.Context, wantedKafka string) error {
	kafka, err := l.chooseKafka(ctx, wantedKafka)
	if err != nil {
		return err
	}
	l.step("Kubernetes")
	if err := l.show(ctx, l.bin("cluster"), "up", "--dir", l.run); err != nil {
		return err
	}
	if err := l.show(ctx, l.bin("cluster"), "links", l.bin("k8s")); err != nil {
		return err
	}
	if err := l.ensure(ctx, needsPostgres()); err != nil {
		return err
	}
	l.step("Postgres, Kafka (%s), Temporal, WeChat simulator, traces", kafka)
	if err := l.startServers(ctx, kafka); err != nil {
		return err
	}
	// The tag tells versions apart, so that pods roll when, and only when, the binary changed.
	tag, err := fileDigest(l.bin("yingda"))
	if err != nil {
		return err
	}
	l.step("Image %s:%s", imageName, tag)
	if err := l.show(ctx, l.bin("cluster"), "load-image", "--dir", l.run, "--name", imageName+":"+tag, "--binary", l.bin("yingda"), "--entrypoint", "/yingda"); err != nil {
		return err
	}
	l.step("The product, by its chart")
	if err := l.installChart(ctx, tag); err != nil {
		return err
	}
	l.step("The sample brand, config/samples/lumi")
	s, err := l.applySample(ctx, kafka, tag)
	if err != nil {
		return err
	}
	if err := l.writeEnv(ctx, s); err != nil {
		return err
	}
	l.step("One short conversation")
	if err := s.play(ctx, l); err != nil {
		return err
	}
	l.step("Ready")
	s.explain(l)
	return nil
}

// installChart installs the chart as users do, with the values of this machine, into a namespace that admits no pod but a
// restricted one.
func (l *local) installChart(ctx context.Context, tag string) error {
	namespace := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q,"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`, operatorNamespace)
	if _, err := l.feed(ctx, namespace, l.bin("k8s/kubectl"), "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	_, err := l.output(ctx, l.bin("helm"), "upgrade", "--install", "yingda", l.source("charts/yingda"),
		"--namespace", operatorNamespace, "--values", l.source("hack/local/values.yaml"), "--set-string", "image.tag="+tag)
	if err != nil {
		return err
	}
	_, err = l.kubectl(ctx, "-n", operatorNamespace, "rollout", "status", "deployment/yingda-operator", "--timeout="+readyTimeout)
	return err
}

// applySample applies the sample brand and waits until every object of it is Ready.
func (l *local) applySample(ctx context.Context, kafka, tag string) (*sample, error) {
	if _, err := l.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", l.source("config/samples/"+sampleBrand)); err != nil {
		return nil, err
	}
	if err := l.applyDatabaseSecrets(ctx); err != nil {
		return nil, err
	}
	s := &sample{kafka: kafka}
	// The platform knows its app before the brand calls it, or the credentials would be refused.
	if err := s.registerApp(ctx, l); err != nil {
		return nil, err
	}
	if err := l.settleKafka(ctx); err != nil {
		return nil, err
	}
	if err := l.awaitReady(ctx); err != nil {
		return nil, err
	}
	if err := l.awaitRollout(ctx, tag); err != nil {
		return nil, err
	}
	return s, s.find(ctx, l)
}

// applyDatabaseSecrets makes the sample's database and the Secrets with its logins: the owner's, and the connectors'.
func (l *local) applyDatabaseSecrets(ctx context.Context) error {
	owner, connector, err := l.databaseURLs(ctx)
	if err != nil {
		return err
	}
	secret := func(name, url string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q,"namespace":%q,"labels":{"yingda.dev/credentials":"true"}},"stringData":{"url":%q}}`,
			name, sampleBrand, url)
	}
	both := secret("lumi-postgres", owner) + "\n---\n" + secret("lumi-postgres-connector", connector)
	_, err = l.feed(ctx, both, l.bin("k8s/kubectl"), "apply", "--server-side", "-f", "-")
	return err
}

// awaitReady waits for every object of the sample; when one does not come, the error shows where things stand.
func (l *local) awaitReady(ctx context.Context) error {
	for _, kind := range []string{"brands", "channels", "skillgroups", "shiftschedules", "agents", "playbooks", "servicelevels"} {
		if _, err := l.kubectl(ctx, "-n", sampleBrand, "wait", kind+".yingda.dev", "--all", "--for=condition=Ready", "--timeout="+readyTimeout); err != nil {
			list, _ := l.kubectl(ctx, "-n", sampleBrand, "get", "yingda,pods")
			return fmt.Errorf("%w\n%s", err, list)
		}
	}
	return nil
}

// awaitRollout waits until all of the sample runs this checkout's image: a brand of before stays Ready while it does not.
func (l *local) awaitRollout(ctx context.Context, tag string) error {
	const selector = "--selector=app.kubernetes.io/name=yingda"
	if _, err := l.kubectl(ctx, "-n", sampleBrand, "wait", "deployments", selector, "--timeout="+readyTimeout,
		"--for=jsonpath={.spec.template.spec.containers[0].image}="+imageName+":"+tag); err != nil {
		return err
	}
	_, err := l.kubectl(ctx, "-n", sampleBrand, "rollout", "status", "deployments", selector, "--timeout="+readyTimeout)
	return err
}

// writeEnv writes the shell file by which tests and people find everything.
func (l *local) writeEnv(ctx context.Context, s *sample) error {
	owner, _, err := l.databaseURLs(ctx)
	if err != nil {
		return err
	}
	lines := []string{
		"export KUBECONFIG=" + l.kubeconfig(),
		"export DESK_URL=" + s.deskURL,
		"export SIMULATOR_URL=http://" + simulator,
		"export KAFKA_BROKERS=" + kafkaAddress,
		"export KAFKA=" + s.kafka,
		"export TEMPORAL_ADDRESS=" + temporal,
		"export TRACES_URL=http://" + tracesPage,
		"export DATABASE_URL='" + owner + "'",
	}
	path := l.envFile()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
