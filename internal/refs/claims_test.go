package refs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func brand(namespace, name string, edits ...func(*v1alpha1.Brand)) v1alpha1.Brand {
	b := v1alpha1.Brand{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.BrandSpec{
			Temporal: v1alpha1.TemporalConnection{Address: "temporal.infra:7233"},
			Postgres: v1alpha1.PostgresConnection{SecretRef: v1alpha1.CredentialsReference{Name: name + "-postgres"}},
		},
	}
	for _, edit := range edits {
		edit(&b)
	}
	return b
}

func temporal(address, namespace string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.Temporal = v1alpha1.TemporalConnection{Address: address, Namespace: namespace}
	}
}

func database(owner, connectors string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.Postgres.SecretRef.Name = owner
		if connectors != "" {
			b.Spec.Postgres.ConnectorSecretRef = &v1alpha1.CredentialsReference{Name: connectors}
		}
	}
}

func message(problem *Problem) string {
	if problem == nil {
		return ""
	}
	return problem.Reason + ": " + problem.Message
}

func TestTemporalTaken(t *testing.T) {
	const here = "DuplicateTemporalNamespace: Brand moon has the Temporal namespace prod of temporal.infra:7233 already, and two Brands in one would take each other's work: make this Brand with another spec.temporal.namespace"
	const elsewhere = "DuplicateTemporalNamespace: a Brand of another namespace has the Temporal namespace "
	const rest = " already, and two Brands in one would take each other's work: make this Brand with another spec.temporal.namespace"
	for name, tt := range map[string]struct {
		brand, other v1alpha1.Brand
		want         string
	}{
		"Brands that name none": {brand("lumi", "lumi"), brand("lumi", "moon"), ""},
		"one namespace of one service": {
			brand("lumi", "lumi", temporal("temporal.infra:7233", "prod")), brand("lumi", "moon", temporal("temporal.infra:7233", "prod")), here,
		},
		"one namespace, written in another way": {
			brand("lumi", "lumi", temporal("temporal.infra:7233", "prod")), brand("lumi", "moon", temporal("Temporal.infra.svc.cluster.local.:7233", "prod")), here,
		},
		"two namespaces of one service": {
			brand("lumi", "lumi", temporal("temporal.infra:7233", "prod")), brand("lumi", "moon", temporal("temporal.infra:7233", "trial")), "",
		},
		"one name in two services": {
			brand("lumi", "lumi", temporal("temporal.infra:7233", "prod")), brand("lumi", "moon", temporal("temporal.other:7233", "prod")), "",
		},
		"one name on two ports": {
			brand("lumi", "lumi", temporal("temporal.infra:7233", "prod")), brand("lumi", "moon", temporal("temporal.infra:7234", "prod")), "",
		},
		"a short name is of the Brand's own namespace": {
			brand("lumi", "lumi", temporal("temporal:7233", "prod")), brand("moon", "moon", temporal("temporal:7233", "prod")), "",
		},
		"a short name and the whole name of one service": {
			brand("lumi", "lumi", temporal("temporal:7233", "prod")), brand("moon", "moon", temporal("temporal.lumi.svc:7233", "prod")),
			elsewhere + "prod of temporal:7233" + rest,
		},
		"one address": {
			brand("lumi", "lumi", temporal("10.97.0.1:7233", "prod")), brand("moon", "moon", temporal("10.97.0.1:7233", "prod")),
			elsewhere + "prod of 10.97.0.1:7233" + rest,
		},
		"two defaults that come out the same": {brand("a-b", "c"), brand("a", "b-c"), elsewhere + "a-b-c of temporal.infra:7233" + rest},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, message(TemporalTaken(&tt.brand, []v1alpha1.Brand{tt.other}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDatabaseTaken(t *testing.T) {
	taken := func(secret string) string {
		return "DuplicateDatabase: Brand moon has the database of Secret " + secret +
			" already, and two Brands in one would take each other's work: name Secrets of another database in spec.postgres"
	}
	for name, tt := range map[string]struct {
		brand, other v1alpha1.Brand
		want         string
	}{
		"two Secrets":                        {brand("lumi", "lumi"), brand("lumi", "moon"), ""},
		"one Secret":                         {brand("lumi", "lumi", database("a", "")), brand("lumi", "moon", database("a", "")), taken("a")},
		"one Secret for owners":              {brand("lumi", "lumi", database("a", "b")), brand("lumi", "moon", database("a", "c")), taken("a")},
		"one Secret for connectors":          {brand("lumi", "lumi", database("a", "b")), brand("lumi", "moon", database("c", "b")), taken("b")},
		"one's connectors and another owner": {brand("lumi", "lumi", database("a", "b")), brand("lumi", "moon", database("b", "c")), taken("b")},
		"one name in two namespaces":         {brand("lumi", "lumi", database("a", "")), brand("moon", "moon", database("a", "")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, message(DatabaseTaken(&tt.brand, []v1alpha1.Brand{tt.other}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoWasSetUpOnAConnectionKeepsIt(t *testing.T) {
	older := func(b *v1alpha1.Brand) { b.CreationTimestamp = metav1.NewTime(time.Unix(1, 0)) }
	younger := func(b *v1alpha1.Brand) { b.CreationTimestamp = metav1.NewTime(time.Unix(2, 0)) }
	setUp := func(b *v1alpha1.Brand) { b.Status.Connections = Connections(b) }
	setUpOn := func(secret string) func(*v1alpha1.Brand) {
		return func(b *v1alpha1.Brand) {
			setUp(b)
			b.Status.Connections.PostgresSecrets = []string{secret}
		}
	}
	for name, tt := range map[string]struct {
		brand, rival v1alpha1.Brand
		want         []string
	}{
		"neither was, and the other is older": {
			brand("lumi", "lumi", younger, database("a", "")), brand("lumi", "moon", older, database("a", "")), []string{v1alpha1.ReasonDuplicateDatabase},
		},
		"neither was, and the other is younger": {
			brand("lumi", "lumi", older, database("a", "")), brand("lumi", "moon", younger, database("a", "")), nil,
		},
		"the other was, though younger": {
			brand("lumi", "lumi", older, database("a", "")), brand("lumi", "moon", younger, database("a", ""), setUp), []string{v1alpha1.ReasonDuplicateDatabase},
		},
		"this one was, though younger": {
			brand("lumi", "lumi", younger, database("a", ""), setUp), brand("lumi", "moon", older, database("a", "")), nil,
		},
		"this one was, and what it declares now is another's": {
			brand("lumi", "lumi", older, database("a", ""), setUpOn("b")), brand("lumi", "moon", younger, database("a", ""), setUp), []string{v1alpha1.ReasonDuplicateDatabase},
		},
		"the other still works in what it does not declare any more": {
			brand("lumi", "lumi", older, database("a", "")), brand("lumi", "moon", younger, database("b", ""), setUpOn("a")), []string{v1alpha1.ReasonDuplicateDatabase},
		},
		"the other comes to what this one has not left yet": {
			brand("lumi", "lumi", younger, database("b", ""), setUpOn("a")), brand("lumi", "moon", older, database("a", "")), nil,
		},
		"a Temporal namespace likewise": {
			brand("lumi", "lumi", older, temporal("temporal.infra:7233", "prod")), brand("moon", "moon", younger, temporal("temporal.infra:7233", "prod"), setUp),
			[]string{v1alpha1.ReasonDuplicateTemporalNamespace},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, problem := range BrandTaken(&tt.brand, []v1alpha1.Brand{tt.rival}) {
				got = append(got, problem.Reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfTwoThatWantOneThingExactlyOneIsTheEarlier(t *testing.T) {
	at := func(namespace, name string, second int64) v1alpha1.Brand {
		b := brand(namespace, name)
		b.CreationTimestamp = metav1.NewTime(time.Unix(second, 0))
		return b
	}
	for name, tt := range map[string]struct{ first, second v1alpha1.Brand }{
		"by the time at which they were made": {at("b", "b", 1), at("a", "a", 2)},
		"in one second by namespace":          {at("a", "b", 1), at("b", "a", 1)},
		"in one namespace by name":            {at("a", "a", 1), at("a", "b", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			all := []v1alpha1.Brand{tt.second, tt.first}
			if got := Earlier(&tt.first, all); len(got) > 0 {
				t.Errorf("%s comes after %s", tt.first.Name, got[0].Name)
			}
			if got := Earlier(&tt.second, all); len(got) != 1 || got[0].Name != tt.first.Name {
				t.Errorf("%s comes after %v", tt.second.Name, got)
			}
		})
	}
}
