package bus_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// config is what the broker has for one config of the world's topic.
func (w *world) config(name string) string {
	w.t.Helper()
	answer, err := w.client().DescribeConfigs(w.t.Context(), &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: w.topic, ConfigNames: []string{name},
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, resource := range answer.Resources {
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName == name {
				return entry.ConfigValue
			}
		}
	}
	w.t.Fatalf("the broker says nothing of %s: %+v", name, answer.Resources)
	return ""
}

func TestATopicIsAskedForNoMoreReplicasThanItHas(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 2)
	wanted := bus.Topology{Partitions: 2, ReplicationFactor: 3, Retention: 2 * time.Hour}
	if err := bus.EnsureTopics(t.Context(), w.cluster, []string{w.topic}, wanted); err != nil {
		t.Fatal(err)
	}
	got := []string{w.config("min.insync.replicas"), w.config("retention.ms")}
	if diff := cmp.Diff([]string{"1", "7200000"}, got); diff != "" {
		t.Errorf("configs of a topic with one replica (-want +got):\n%s", diff)
	}
	w.publish(numbered(t, "still-writable", 1))
}

func TestOnlyTheTopicsOfTheBrandAreDeleted(t *testing.T) {
	broker := testenv.Kafka(t)
	prefix := testenv.Unique("prefix")
	lumi := bus.Names{Prefix: prefix, Namespace: "a", Brand: "b"}
	// Its names begin like those of the first.
	neighbour := bus.Names{Prefix: prefix + ".a", Namespace: "b", Brand: "c"}
	wanted := bus.Topology{Partitions: 1, ReplicationFactor: 1, Retention: time.Hour}
	for _, names := range []bus.Names{lumi, neighbour} {
		if err := bus.EnsureTopics(t.Context(), bus.Cluster{Brokers: []string{broker}}, names.Topics([]string{"miniprogram"}), wanted); err != nil {
			t.Fatal(err)
		}
	}
	if err := bus.DeleteTopics(t.Context(), bus.Cluster{Brokers: []string{broker}}, lumi); err != nil {
		t.Fatal(err)
	}
	client := &kafka.Client{Addr: kafka.TCP(broker), Transport: &kafka.Transport{}}
	all, err := client.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, topic := range all.Topics {
		if strings.HasPrefix(topic.Name, prefix) {
			left = append(left, topic.Name)
		}
	}
	slices.Sort(left)
	want := neighbour.Topics([]string{"miniprogram"})
	slices.Sort(want)
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("topics that are left (-want +got):\n%s", diff)
	}
}
