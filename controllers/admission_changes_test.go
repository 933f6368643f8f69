package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// alteration is a change of an object to try, and the message of its refusal; empty means that it is accepted.
type alteration struct {
	before client.Object
	edit   func(client.Object)
	want   string
}

// alter makes the object, tries the change without keeping it, and removes the object.
func (a *admission) alter(t *testing.T, tt alteration) error {
	t.Helper()
	tt.before.SetNamespace(a.namespace)
	if err := a.client.Create(t.Context(), tt.before); err != nil {
		t.Fatal(err)
	}
	tt.edit(tt.before)
	answer := a.client.Update(t.Context(), tt.before, client.DryRunAll)
	if err := a.client.Delete(t.Context(), tt.before); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAdmissionOfChanges(t *testing.T) {
	a := newAdmission(t)
	for name, tt := range alterations() {
		t.Run(name, func(t *testing.T) {
			(&admission{t: t}).check(a.alter(t, tt), tt.want)
		})
	}
}

func alterations() map[string]alteration {
	return map[string]alteration{
		"another Brand of a Channel": {
			channel("a", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another name of a Channel": {
			channel("b", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.DisplayName = "露米" }, "",
		},
		"another isolation": {
			channel("t", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.Isolation = v1alpha1.IsolationDedicated }, "isolation is immutable",
		},
		"another exposure": {
			channel("u", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.Exposure = throughGateway("hooks.lumi.example") }, "",
		},
		"another deletion policy": {
			brand("v"), func(o client.Object) { removable(spec[v1alpha1.Brand](o)) }, "",
		},
		"another appID": {
			channel("c", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.MiniProgram.AppID = uniqueAppID() }, "appID is immutable",
		},
		"another appID of an official account": {
			officialAccountNamed("w"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.OfficialAccount.AppID = uniqueAppID() }, "appID is immutable",
		},
		"an official account of a mini-program": {
			channel("x", "lumi"), func(o client.Object) {
				of := &spec[v1alpha1.Channel](o).Spec
				of.Type, of.MiniProgram, of.OfficialAccount = v1alpha1.ChannelTypeOfficialAccount, nil, accountSpec()
			}, "type is immutable",
		},
		"another menu": {
			officialAccountNamed("y"), func(o client.Object) {
				spec[v1alpha1.Channel](o).Spec.OfficialAccount.Menu = &v1alpha1.Menu{Buttons: buttons(3)}
			}, "",
		},
		"another Brand of a SkillGroup": {
			skillGroup("d", "lumi"), func(o client.Object) { spec[v1alpha1.SkillGroup](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another name of a SkillGroup": {
			skillGroup("e", "lumi"), func(o client.Object) { spec[v1alpha1.SkillGroup](o).Spec.DisplayName = "售后组" }, "",
		},
		"another Brand of an Agent": {
			agent("f", "lumi", nil), func(o client.Object) { spec[v1alpha1.Agent](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another capacity of an Agent": {
			agent("g", "lumi", nil), func(o client.Object) { spec[v1alpha1.Agent](o).Spec.Capacity = 8 }, "",
		},
		"another prefix of topics": {
			brand("h"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.Prefix = "other" }, "prefix is immutable",
		},
		"another number of partitions": {
			brand("i"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.Partitions = 24 }, "partitions is immutable",
		},
		"another replication factor": {
			brand("q"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.ReplicationFactor = 1 }, "replicationFactor is immutable: it holds when topics are made; to change the replicas of these, reassign their partitions",
		},
		"another retention": {
			brand("j"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.RetentionDays = 14 }, "",
		},
		"a Temporal namespace where there was none": {
			brand("k"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "lumi" }, "the Temporal namespace is immutable",
		},
		"another Temporal namespace": {
			brand("l", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "other" }, "the Temporal namespace is immutable",
		},
		"no Temporal namespace any more": {
			brand("m", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "" }, "the Temporal namespace is immutable",
		},
		"a login of their own for connectors": {
			brand("o"), func(o client.Object) { ownLogin("lumi-connector")(spec[v1alpha1.Brand](o)) }, "",
		},
		"the owner's login for connectors again": {
			brand("p", ownLogin("lumi-connector")), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Postgres.ConnectorSecretRef = nil }, "",
		},
		"TLS and a user where there was neither": {
			brand("r"), func(o client.Object) {
				spec[v1alpha1.Brand](o).Spec.Kafka = kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain).Spec.Kafka
			}, "",
		},
		"no TLS any more under PLAIN": {
			named("s", kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain)),
			func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.TLS = nil }, "PLAIN would send the password in plain text",
		},
		"another Temporal address": {
			brand("n", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Address = "temporal.other:7233" }, "",
		},
	}
}

// spec is the object as the type that the test knows it to be.
func spec[T any](obj client.Object) *T {
	typed, _ := any(obj).(*T)
	return typed
}
