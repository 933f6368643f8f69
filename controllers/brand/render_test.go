package brand

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/golden"
)

// input is testdata/<case>/in.yaml.
type input struct {
	Brand            *v1alpha1.Brand
	Owner, Connector *metav1.PartialObjectMetadata
	Securing         dataplane.Securing
	Settings         dataplane.Settings
	// Schedules are those of the Brand's groups, Now is when it is rendered.
	Schedules []v1alpha1.ShiftSchedule
	Now       metav1.Time
}

// render renders the Brand while its workloads run.
func (in *input) render(t *testing.T) rendered {
	t.Helper()
	var sources []scaling.Source
	for _, s := range in.Schedules {
		compiled, err := schedule.Compile(s.Spec)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, scaling.NewSource(s.Name, compiled))
	}
	all := scales{}
	for _, component := range components() {
		all[component] = scale{plan: scaling.Make(specOf(in.Brand, component), sources, in.Now.Time), running: true}
	}
	out, err := render(in.Brand, in.logins(), all, in.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (in *input) logins() dataplane.Logins {
	return dataplane.Logins{Owner: in.Owner, Connector: in.Connector, Securing: in.Securing}
}

func readInput(t *testing.T, name string) input {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, "in.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var in input
	if err := yaml.UnmarshalStrict(text, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestRender(t *testing.T) {
	for _, name := range []string{"local", "production", "secured", "scaled"} {
		t.Run(name, func(t *testing.T) {
			in := readInput(t, name)
			before := in.Brand.DeepCopy()
			out := in.render(t)
			first := golden.YAML(t, out.all()...)
			golden.Compare(t, name+"/want.yaml", first)

			if diff := cmp.Diff(string(first), string(golden.YAML(t, in.render(t).all()...))); diff != "" {
				t.Errorf("a second rendering differs:\n%s", diff)
			}
			if diff := cmp.Diff(before, in.Brand); diff != "" {
				t.Errorf("rendering changed its input:\n%s", diff)
			}
		})
	}
}

func TestTheSetupJobIsNamedByWhatItDoes(t *testing.T) {
	in := readInput(t, "local")
	name := func(edit func(*input)) string {
		other := input{Brand: in.Brand.DeepCopy(), Owner: in.Owner.DeepCopy(), Connector: in.Connector.DeepCopy(), Settings: in.Settings}
		edit(&other)
		return *other.render(t).setup.GetName()
	}
	same := name(func(*input) {})
	for sentence, tt := range map[string]struct {
		edit    func(*input)
		renamed bool
	}{
		"another image is set up anew":            {func(in *input) { in.Settings.Image = "yingda:next" }, true},
		"another broker is set up anew":           {func(in *input) { in.Brand.Spec.Kafka.BootstrapServers = []string{"kafka:9092"} }, true},
		"another version of the Secret, too":      {func(in *input) { in.Owner.ResourceVersion = "8" }, true},
		"another login of connectors, too":        {func(in *input) { in.Connector.ResourceVersion = "10" }, true},
		"another retention, too":                  {func(in *input) { in.Brand.Spec.Kafka.Topics.RetentionDays = 14 }, true},
		"another order of brokers changes no Job": {func(in *input) { in.Brand.Spec.Kafka.BootstrapServers = []string{"b:9092", "a:9092"} }, false},
		"another name to show changes no Job":     {func(in *input) { in.Brand.Spec.DisplayName = "other" }, false},
		"more replicas change no Job":             {func(in *input) { in.Brand.Spec.Desk.Replicas = 3 }, false},
		"another pull policy is set up anew":      {func(in *input) { in.Settings.ImagePullPolicy = corev1.PullAlways }, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := name(tt.edit) != same; got != tt.renamed {
				t.Errorf("renamed is %v, want %v", got, tt.renamed)
			}
		})
	}
}

func TestOnlyPodsWhoseConnectionChangesRoll(t *testing.T) {
	roll := func(edit func(*input)) []string {
		templates := func(in input) []string {
			out := in.render(t)
			var texts []string
			for _, object := range append(out.serving, runtime.ApplyConfiguration(out.setup)) {
				texts = append(texts, string(golden.YAML(t, object)))
			}
			return texts
		}
		before, changed := readInput(t, "secured"), readInput(t, "secured")
		edit(&changed)
		var rolled []string
		after := templates(changed)
		for i, text := range templates(before) {
			if text != after[i] {
				rolled = append(rolled, []string{"router", "workflows", "desk", "setup"}[i])
			}
		}
		return rolled
	}
	for sentence, tt := range map[string]struct {
		edit func(*input)
		want []string
	}{
		"another authority of Kafka's":       {func(in *input) { in.Securing["kafka-ca"].ResourceVersion = "9" }, []string{"router", "desk", "setup"}},
		"another certificate for Kafka":      {func(in *input) { in.Securing["kafka-client"].ResourceVersion = "9" }, []string{"router", "desk", "setup"}},
		"another password of Kafka's user":   {func(in *input) { in.Securing["kafka-user"].ResourceVersion = "9" }, []string{"router", "desk", "setup"}},
		"another certificate for Temporal":   {func(in *input) { in.Securing["temporal-client"].ResourceVersion = "9" }, []string{"router", "workflows", "setup"}},
		"a Secret that nobody refers to":     {func(in *input) { in.Securing["other"] = in.Securing["kafka-ca"] }, nil},
		"another mechanism of Kafka's":       {func(in *input) { in.Brand.Spec.Kafka.SASL.Mechanism = v1alpha1.KafkaSASLPlain }, []string{"router", "desk", "setup"}},
		"Temporal by the system's roots":     {func(in *input) { in.Brand.Spec.Temporal.TLS = &v1alpha1.TemporalTLS{} }, []string{"router", "workflows", "setup"}},
		"another name of Temporal's, too":    {func(in *input) { in.Brand.Spec.Temporal.TLS.ServerName = "other" }, []string{"router", "workflows", "setup"}},
		"another login for connectors alone": {func(in *input) { in.Connector.ResourceVersion = "9" }, []string{"setup"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, roll(tt.edit)); diff != "" {
				t.Errorf("what rolls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTeardownIsGivenTheConnectionsThatItEnds(t *testing.T) {
	in := readInput(t, "secured")
	teardown := string(golden.YAML(t, dataplane.TeardownJob(in.Brand, in.logins(), in.Settings)))
	for _, want := range []string{
		"yingda.dev/connections: postgres-4711,kafka-ca-4713,kafka-client-4714,kafka-user-4715,temporal-4716\n",
		"--kafka-sasl-password-file=/etc/yingda/kafka-user/password\n", "--temporal-ca-file=/etc/yingda/temporal/ca.crt\n",
		"mountPath: /etc/yingda/kafka-user\n", "mountPath: /etc/yingda/temporal\n",
	} {
		if !strings.Contains(teardown, want) {
			t.Errorf("the Job does not say %q:\n%s", want, teardown)
		}
	}
}

func TestWithoutALoginForConnectorsSetupMountsTheOwnersAlone(t *testing.T) {
	in := readInput(t, "local")
	in.Brand.Spec.Postgres.ConnectorSecretRef, in.Connector = nil, nil
	setup := string(golden.YAML(t, in.render(t).setup))
	for _, unwanted := range []string{"--connector-url-file", "postgres-connector"} {
		if strings.Contains(setup, unwanted) {
			t.Errorf("the Job names %s:\n%s", unwanted, setup)
		}
	}
	if want := "yingda.dev/connections: postgres-7\n"; !strings.Contains(setup, want) {
		t.Errorf("the Job's pods are not marked with %q:\n%s", want, setup)
	}
}
