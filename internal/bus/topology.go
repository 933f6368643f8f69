package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Topology is how a brand's topics are made.
type Topology struct {
	Partitions        int
	ReplicationFactor int
	Retention         time.Duration
}

// ErrPartitions says that a topic has another number of partitions than it should. Nothing but a new topic helps: more
// partitions would give customers other partitions and break their order.
var ErrPartitions = errors.New("the topic has another number of partitions")

const (
	adminTimeout     = 10 * time.Second
	adminDialTimeout = 2 * time.Second
)

// Topics are all topics of a brand with the given connector pools.
func (n Names) Topics(pools []string) []string {
	topics := []string{n.Inbound(), n.Events(), n.DeadLetter()}
	for _, pool := range pools {
		topics = append(topics, n.Outbound(pool))
	}
	return topics
}

// layout is how a topic that exists was made. Its configs can change; this cannot, but by hand.
type layout struct {
	partitions, replicas int
}

// EnsureTopics makes the topics that are missing, sets retention and durability on all of them, and fails with
// ErrPartitions where an existing one has another number of partitions. A topic that has another number of replicas than
// is wanted keeps them, and asks of its writes what that many replicas can give. It is safe to repeat.
func EnsureTopics(ctx context.Context, cluster Cluster, topics []string, want Topology) error {
	transport := cluster.transport(adminDialTimeout)
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(cluster.Brokers...), Timeout: adminTimeout, Transport: transport}
	return cluster.explain(ensureTopics(ctx, client, topics, want))
}

func ensureTopics(ctx context.Context, client *kafka.Client, topics []string, want Topology) error {
	existing, err := layouts(ctx, client, topics)
	if err != nil {
		return err
	}
	var missing, differing []string
	for _, topic := range topics {
		switch made, exists := existing[topic]; {
		case !exists:
			missing = append(missing, topic)
		case made.partitions != want.Partitions:
			differing = append(differing, fmt.Sprintf("%s has %d", topic, made.partitions))
		}
	}
	if len(differing) > 0 {
		return fmt.Errorf("%w: %s, and %d are wanted; make a new Brand, or delete the topics if nobody needs what they hold",
			ErrPartitions, strings.Join(differing, ", "), want.Partitions)
	}
	if err := createTopics(ctx, client, missing, want); err != nil {
		return err
	}
	for _, topic := range missing {
		existing[topic] = layout{want.Partitions, want.ReplicationFactor}
	}
	return configureTopics(ctx, client, existing, want)
}

// owns says whether a topic is the brand's. Pools have no dot in their names, but prefixes may: what begins like a topic of
// this brand can be another's.
func (n Names) owns(topic string) bool {
	pool, outbound := strings.CutPrefix(topic, n.Outbound(""))
	return slices.Contains(n.Topics(nil), topic) || outbound && !strings.Contains(pool, ".")
}

// DeleteTopics deletes all topics of a brand, and what they hold.
func DeleteTopics(ctx context.Context, cluster Cluster, names Names) error {
	transport := cluster.transport(adminDialTimeout)
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(cluster.Brokers...), Timeout: adminTimeout, Transport: transport}
	return cluster.explain(deleteTopics(ctx, client, names))
}

func deleteTopics(ctx context.Context, client *kafka.Client, names Names) error {
	all, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	var made []string
	for _, topic := range all.Topics {
		if names.owns(topic.Name) {
			made = append(made, topic.Name)
		}
	}
	if len(made) == 0 {
		return nil
	}
	answer, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: made})
	if err != nil {
		return fmt.Errorf("deleting topics: %w", err)
	}
	for topic, err := range answer.Errors {
		if err != nil && !errors.Is(err, kafka.UnknownTopicOrPartition) {
			return fmt.Errorf("deleting the topic %s: %w", topic, err)
		}
	}
	return nil
}

// layouts returns how those topics that exist were made.
func layouts(ctx context.Context, client *kafka.Client, topics []string) (map[string]layout, error) {
	answer, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, fmt.Errorf("looking for the topics: %w", err)
	}
	made := make(map[string]layout, len(topics))
	for _, t := range answer.Topics {
		switch {
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
		case t.Error != nil:
			return nil, fmt.Errorf("looking for the topic %s: %w", t.Name, t.Error)
		default:
			made[t.Name] = layout{len(t.Partitions), fewestReplicas(t.Partitions)}
		}
	}
	return made, nil
}

func fewestReplicas(partitions []kafka.Partition) int {
	fewest := 0
	for i, p := range partitions {
		if i == 0 || len(p.Replicas) < fewest {
			fewest = len(p.Replicas)
		}
	}
	return fewest
}

func createTopics(ctx context.Context, client *kafka.Client, topics []string, want Topology) error {
	if len(topics) == 0 {
		return nil
	}
	request := &kafka.CreateTopicsRequest{}
	for _, topic := range topics {
		config := kafka.TopicConfig{Topic: topic, NumPartitions: want.Partitions, ReplicationFactor: want.ReplicationFactor}
		for _, entry := range want.entries(want.ReplicationFactor) {
			config.ConfigEntries = append(config.ConfigEntries, kafka.ConfigEntry{ConfigName: entry[0], ConfigValue: entry[1]})
		}
		request.Topics = append(request.Topics, config)
	}
	answer, err := client.CreateTopics(ctx, request)
	if err != nil {
		return fmt.Errorf("making the topics: %w", err)
	}
	for topic, err := range answer.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("making the topic %s: %w", topic, err)
		}
	}
	return nil
}

func configureTopics(ctx context.Context, client *kafka.Client, topics map[string]layout, want Topology) error {
	request := &kafka.IncrementalAlterConfigsRequest{}
	for topic, made := range topics {
		resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}
		for _, entry := range want.entries(made.replicas) {
			resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{
				Name: entry[0], Value: entry[1], ConfigOperation: kafka.ConfigOperationSet,
			})
		}
		request.Resources = append(request.Resources, resource)
	}
	answer, err := client.IncrementalAlterConfigs(ctx, request)
	if err != nil {
		return fmt.Errorf("configuring the topics: %w", err)
	}
	for _, resource := range answer.Resources {
		if resource.Error != nil {
			return fmt.Errorf("configuring the topic %s: %w", resource.ResourceName, resource.Error)
		}
	}
	return nil
}

// entries are the configs of a topic with that many replicas. An acknowledged message survives the loss of a broker only
// when a second one must hold it; where there is no second, asking for it would refuse every write.
func (t Topology) entries(replicas int) [][2]string {
	return [][2]string{
		{"retention.ms", strconv.FormatInt(t.Retention.Milliseconds(), 10)},
		{"min.insync.replicas", strconv.Itoa(max(1, min(2, replicas)))},
	}
}
