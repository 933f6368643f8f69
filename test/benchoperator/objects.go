package main

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	brandName    = "lumi"
	everybody    = "everybody"
	playbookName = "shop"
	levelName    = "standard"
	// seed is the Channel that every Brand has before anything is measured: its pool runs.
	seed = "seed"
	// labelRun marks the Channels of one measurement.
	labelRun = "yingda.dev/bench"
	// labelPlane tells the namespaces of the product from those of the floor.
	labelPlane   = "yingda.dev/bench-plane"
	planeProduct = "product"
)

func namespaceName(i int) string      { return fmt.Sprintf("brand-%03d", i) }
func floorNamespaceName(i int) string { return fmt.Sprintf("floor-%03d", i) }

func namespaces(brands int) []client.Object {
	var objects []client.Object
	for i := range brands {
		objects = append(objects,
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName(i), Labels: map[string]string{labelPlane: planeProduct}}},
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: floorNamespaceName(i)}})
	}
	return objects
}

// brandFolder is what the folder of a Brand holds, but for its Channels.
func brandFolder(i int) []client.Object {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespaceName(i), Name: name} }
	return []client.Object{
		secret(namespaceName(i), "postgres"),
		&v1alpha1.SkillGroup{ObjectMeta: meta(everybody), Spec: v1alpha1.SkillGroupSpec{
			BrandRef:      v1alpha1.BrandReference{Name: brandName},
			AgentSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": everybody}},
		}},
		&v1alpha1.Playbook{ObjectMeta: meta(playbookName), Spec: v1alpha1.PlaybookSpec{
			Texts: v1alpha1.PlaybookTexts{Welcome: "您好,这里是{{.Brand}}客服。"},
		}},
		&v1alpha1.ServiceLevel{ObjectMeta: meta(levelName)},
		&v1alpha1.Brand{ObjectMeta: meta(brandName), Spec: v1alpha1.BrandSpec{
			DisplayName: "露米",
			Kafka:       v1alpha1.KafkaConnection{BootstrapServers: []string{"kafka.infra:9092"}},
			Temporal:    v1alpha1.TemporalConnection{Address: "temporal.infra:7233", Namespace: namespaceName(i)},
			Postgres:    v1alpha1.PostgresConnection{SecretRef: v1alpha1.CredentialsReference{Name: "postgres"}},
			Defaults: v1alpha1.BrandDefaults{
				SkillGroupRef: &v1alpha1.SkillGroupReference{Name: everybody}, PlaybookRef: &v1alpha1.PlaybookReference{Name: playbookName},
			},
		}},
	}
}

func secret(namespace, name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.CredentialsLabel: "true"}},
		StringData: map[string]string{"url": "postgres://" + namespace + "@db/" + namespace, "appSecret": "none", "token": "none"},
	}
}

// credentialsOf is the name of a Channel's own Secret.
func credentialsOf(channel string) string { return channel + "-wechat" }

// channel is a Channel that refers to all that one may refer to, with its number for an account.
func channel(namespace, name, run string, number int) *v1alpha1.Channel {
	group := v1alpha1.SkillGroupReference{Name: everybody}
	return &v1alpha1.Channel{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{labelRun: run}},
		Spec: v1alpha1.ChannelSpec{
			BrandRef: v1alpha1.BrandReference{Name: brandName}, Type: v1alpha1.ChannelTypeMiniProgram,
			MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
				AppID:                fmt.Sprintf("wx%016x", number),
				CredentialsSecretRef: v1alpha1.CredentialsReference{Name: credentialsOf(name)},
			}},
			PlaybookRef:     &v1alpha1.PlaybookReference{Name: playbookName},
			ServiceLevelRef: &v1alpha1.ServiceLevelReference{Name: levelName},
			EntryPoints:     []v1alpha1.EntryPoint{{Name: "order", SessionFromPrefix: "order:"}},
			Routing: []v1alpha1.RoutingRule{
				{Name: "from-order-page", When: v1alpha1.RoutingMatch{EntryPoints: []string{"order"}}, SkillGroupRef: group},
				{Name: "refund-words", When: v1alpha1.RoutingMatch{Keywords: []string{"退款", "退货"}}, SkillGroupRef: group},
			},
		},
	}
}

// dedicated is the Channel with a pool of its own.
func dedicated(c *v1alpha1.Channel) (client.Object, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
	if err != nil {
		return nil, fmt.Errorf("rendering a Channel: %w", err)
	}
	obj := &unstructured.Unstructured{Object: content}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind("Channel"))
	if err := unstructured.SetNestedField(obj.Object, "Dedicated", "spec", "isolation"); err != nil {
		return nil, fmt.Errorf("isolating a Channel: %w", err)
	}
	return obj, nil
}
