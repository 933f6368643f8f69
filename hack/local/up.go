package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

const (
	operatorNamespace = "yingda-system"
	release           = "yingda"
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
	if err := l.installChart(ctx, "--values", l.source("hack/local/values.yaml"), "--set-string", "image.tag="+tag); err != nil {
		return err
	}
	// The chart cannot bring an object of a kind that it brings itself: Helm looks up all kinds before it installs any.
	if _, err := l.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", l.source("config/calendars")); err != nil {
		return err
	}
	folders, err := l.prepareSamples(ctx)
	if err != nil {
		return err
	}
	l.step("The sample brand, config/samples/%s", sampleBrand)
	s, err := l.applySample(ctx, folders, kafka, tag)
	if err != nil {
		return err
	}
	if err := l.writeEnv(s); err != nil {
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

// installChart installs the chart as users do, with Helm's arguments for its values, into a namespace that admits no pod but
// a restricted one.
func (l *local) installChart(ctx context.Context, values ...string) error {
	namespace := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q,"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`, operatorNamespace)
	if _, err := l.feed(ctx, namespace, l.cluster.kubectl, "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	arguments := append([]string{"upgrade", "--install", release, l.source("charts/yingda"), "--namespace", operatorNamespace}, values...)
	if _, err := l.output(ctx, l.bin("helm"), arguments...); err != nil {
		return err
	}
	_, err := l.kubectl(ctx, "-n", operatorNamespace, "rollout", "status", "deployment/yingda-operator", "--timeout="+readyTimeout)
	return err
}

// prepareSamples makes the databases and the simulator's apps of all samples, so that each needs no more than kubectl apply -k.
func (l *local) prepareSamples(ctx context.Context) ([]*folder, error) {
	folders, err := l.samples(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if err := l.prepare(ctx, f); err != nil {
			return nil, err
		}
	}
	return folders, nil
}

// applySample applies the sample brand and waits until every object of it is Ready.
func (l *local) applySample(ctx context.Context, folders []*folder, kafka, tag string) (*sample, error) {
	i := slices.IndexFunc(folders, func(f *folder) bool { return f.brand.Name == sampleBrand })
	if i < 0 {
		return nil, fmt.Errorf("config/samples has no Brand %s", sampleBrand)
	}
	f := folders[i]
	apps := f.apps()
	talks := slices.IndexFunc(apps, func(app simulatorApp) bool { return app.channel == sampleChannel })
	if talks < 0 {
		return nil, fmt.Errorf("%s has no Channel %s that calls the simulator", f.path, sampleChannel)
	}
	if err := l.applyFolder(ctx, f); err != nil {
		return nil, err
	}
	if err := l.applyDatabaseSecrets(ctx, f); err != nil {
		return nil, err
	}
	if err := l.settleKafka(ctx); err != nil {
		return nil, err
	}
	if err := l.awaitReady(ctx, f.brand.Namespace); err != nil {
		return nil, err
	}
	if err := l.awaitRollout(ctx, tag); err != nil {
		return nil, err
	}
	if _, err := l.connect(ctx, f); err != nil {
		return nil, err
	}
	s := &sample{kafka: kafka, app: apps[talks]}
	return s, s.find(ctx, l)
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
func (l *local) writeEnv(s *sample) error {
	owner, err := l.loginURL(sampleBrand)
	if err != nil {
		return err
	}
	lines := []string{
		"export KUBECONFIG=" + l.cluster.kubeconfig,
		"export DESK_URL=" + s.deskURL,
		"export SIMULATOR_URL=" + simulatorURL,
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
