package brand

import (
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// rendered is all that a Brand's controller makes, apart by the moment at which it may be applied.
type rendered struct {
	// always holds identities, rights, the desk's Service and the budgets.
	always []runtime.ApplyConfiguration
	// setup is the Job.
	setup *batchv1ac.JobApplyConfiguration
	// serving holds the Deployments.
	serving []runtime.ApplyConfiguration
	// scaling holds what scales them, by component. A cluster may refuse it, which must keep nothing from running.
	scaling map[string][]runtime.ApplyConfiguration
	// routes holds the desk's, if any. A cluster may refuse it, which must keep nothing from running.
	routes []runtime.ApplyConfiguration
}

func (o rendered) all() []runtime.ApplyConfiguration {
	all := slices.Concat(o.always, []runtime.ApplyConfiguration{o.setup}, o.serving, o.routes)
	for _, component := range slices.Sorted(maps.Keys(o.scaling)) {
		all = append(all, o.scaling[component]...)
	}
	return all
}

func render(brand *v1alpha1.Brand, secrets dataplane.Logins, scales scales, settings dataplane.Settings) (rendered, error) {
	out := rendered{scaling: map[string][]runtime.ApplyConfiguration{}}
	for _, w := range workloads(brand, secrets, scales, settings) {
		out.always = append(out.always, w.ServiceAccount(), w.Role(), w.RoleBinding())
		out.always = append(out.always, w.Budget()...)
		if settings.NetworkPolicies.Enabled {
			out.always = append(out.always, w.NetworkPolicy())
		}
		if w.ServesHTTP {
			out.always = append(out.always, w.Service())
		}
		out.serving = append(out.serving, w.Deployment())
		out.scaling[w.Component] = w.Autoscaler()
	}
	setup := dataplane.SetupWorkload(brand, secrets, settings)
	out.always = append(out.always, setup.ServiceAccount())
	if settings.NetworkPolicies.Enabled {
		out.always = append(out.always, setup.NetworkPolicy())
	}
	if route := deskRoute(brand, settings); route != nil && route.CanBeMade() {
		out.routes = append(out.routes, route.Object())
	}
	var err error
	out.setup, err = dataplane.SetupJob(brand, secrets, settings)
	return out, err
}

// deskRoute leads agents in; nil for a desk without an exposure.
func deskRoute(brand *v1alpha1.Brand, settings dataplane.Settings) *dataplane.Route {
	if brand.Spec.Desk.Exposure == nil {
		return nil
	}
	desk := dataplane.Workload{Brand: brand, Settings: settings, Component: dataplane.Desk}
	return &dataplane.Route{Name: desk.Name(), Workload: desk, Exposure: *brand.Spec.Desk.Exposure, Path: "/"}
}

func workloads(brand *v1alpha1.Brand, secrets dataplane.Logins, scales scales, settings dataplane.Settings) []dataplane.Workload {
	base := dataplane.Workload{
		Brand: brand, Settings: settings, CallsAPIServer: true,
		Login:       dataplane.OwnerLogin(brand),
		Connections: dataplane.Connections(secrets.Owner),
		Securing:    secrets.Securing,
	}
	router, workflows, desk := base, base, base
	router.Component = dataplane.Router
	router.Args = append(dataplane.TemporalArgs(brand), dataplane.WebhookArgs(brand, settings)...)
	workflows.Component = dataplane.Workflows
	workflows.Args = append(dataplane.TemporalArgs(brand), dataplane.WorkflowsArgs(brand, settings)...)
	desk.Component = dataplane.Desk
	desk.ServesHTTP = true
	desk.Args = []string{"--address=:" + strconv.Itoa(dataplane.PortHTTP)}
	desk.Args = append(desk.Args, dataplane.DeskArgs(brand, settings)...)
	if settings.TemporalUIOrigin != "" {
		desk.Args = append(desk.Args, "--temporal-ui-origin="+settings.TemporalUIOrigin)
	}
	all := []dataplane.Workload{router, workflows, desk}
	for i := range all {
		all[i].Plan, all[i].Running = scales[all[i].Component].plan, scales[all[i].Component].running
	}
	return all
}
