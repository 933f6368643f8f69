package channel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/golden"
)

// poolInput is testdata/<case>/in.yaml.
type poolInput struct {
	Brand            *v1alpha1.Brand
	Owner, Connector *metav1.PartialObjectMetadata
	Securing         dataplane.Securing
	Channels         []v1alpha1.Channel
	Credentials      []string
	Settings         dataplane.Settings
	// Schedules are those of the Brand's groups, Now is when the pool is rendered, while it runs.
	Schedules []v1alpha1.ShiftSchedule
	Now       metav1.Time
}

func (in *poolInput) plan(t *testing.T) scaling.Plan {
	t.Helper()
	var sources []scaling.Source
	for _, s := range in.Schedules {
		compiled, err := schedule.Compile(s.Spec)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, scaling.NewSource(s.Name, compiled))
	}
	return scaling.Make(scale(in.Channels), sources, in.Now.Time)
}

func TestRenderPool(t *testing.T) {
	for _, name := range []string{"local", "official-account", "secured", "two-channels", "unlabelled", "dedicated", "scaled", "scaled-by-keda", "lifted"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name, "in.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			var in poolInput
			if err := yaml.UnmarshalStrict(text, &in); err != nil {
				t.Fatal(err)
			}
			seen := &poolScene{
				brand: in.Brand, channels: in.Channels, logins: dataplane.Logins{Owner: in.Owner, Connector: in.Connector, Securing: in.Securing}, credentials: in.Credentials,
				deployment: &appsv1.Deployment{}, plan: in.plan(t),
			}
			render := func() []byte {
				out := renderPool(seen, dataplane.PoolOf(&in.Channels[0]), in.Settings)
				return golden.YAML(t, out.all()...)
			}
			first := render()
			golden.Compare(t, name+"/want.yaml", first)
			if diff := cmp.Diff(string(first), string(render())); diff != "" {
				t.Errorf("a second rendering differs:\n%s", diff)
			}
		})
	}
}
