package bus

import (
	"context"
	"errors"
	"fmt"
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

const adminTimeout = 10 * time.Second

// Topics are all topics of a brand with the given connector pools.
func (n Names) Topics(pools []string) []string {
	topics := []string{n.Inbound(), n.Events(), n.DeadLetter()}
	for _, pool := range pools {
		topics = append(topics, n.Outbound(pool))
	}
	return topics
}

// EnsureTopics makes the topics that are missing, sets retention and durability on all of them, and fails with
// ErrPartitions where an existing one has another number of partitions. It is safe to repeat.
func EnsureTopics(ctx context.Context, brokers, topics []string, want Topology) error {
	transport := &kafka.Transport{DialTimeout: 2 * time.Second}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: adminTimeout, Transport: transport}
	existing, err := partitionsOf(ctx, client, topics)
	if err != nil {
		return err
	}
	var missing, differing []string
	for _, topic := range topics {
		switch count, exists := existing[topic]; {
		case !exists:
			missing = append(missing, topic)
		case count != want.Partitions:
			differing = append(differing, fmt.Sprintf("%s has %d", topic, count))
		}
	}
	if len(differing) > 0 {
		return fmt.Errorf("%w: %s, and %d are wanted; make a new Brand, or delete the topics if nobody needs what they hold",
			ErrPartitions, strings.Join(differing, ", "), want.Partitions)
	}
	if err := createTopics(ctx, client, missing, want); err != nil {
		return err
	}
	return configureTopics(ctx, client, topics, want)
}

// partitionsOf returns the partition counts of those topics that exist.
func partitionsOf(ctx context.Context, client *kafka.Client, topics []string) (map[string]int, error) {
	answer, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, fmt.Errorf("looking for the topics: %w", err)
	}
	counts := make(map[string]int, len(topics))
	for _, t := range answer.Topics {
		switch {
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
		case t.Error != nil:
			return nil, fmt.Errorf("looking for the topic %s: %w", t.Name, t.Error)
		default:
			counts[t.Name] = len(t.Partitions)
		}
	}
	return counts, nil
}

func createTopics(ctx context.Context, client *kafka.Client, topics []string, want Topology) error {
	if len(topics) == 0 {
		return nil
	}
	request := &kafka.CreateTopicsRequest{}
	for _, topic := range topics {
		config := kafka.TopicConfig{Topic: topic, NumPartitions: want.Partitions, ReplicationFactor: want.ReplicationFactor}
		for _, entry := range want.entries() {
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

func configureTopics(ctx context.Context, client *kafka.Client, topics []string, want Topology) error {
	request := &kafka.IncrementalAlterConfigsRequest{}
	for _, topic := range topics {
		resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}
		for _, entry := range want.entries() {
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

// entries are the topic configs. An acknowledged message survives the loss of a broker only when a second one must hold it.
func (t Topology) entries() [][2]string {
	return [][2]string{
		{"retention.ms", strconv.FormatInt(t.Retention.Milliseconds(), 10)},
		{"min.insync.replicas", strconv.Itoa(min(2, t.ReplicationFactor))},
	}
}
