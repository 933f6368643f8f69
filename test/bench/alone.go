package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/bus"
)

const (
	operatorNamespace = "yingda-system"
	rolloutTimeout    = "--timeout=120s"
	catchUpLimit      = 10 * time.Minute
)

// stopRouter leaves connectors and Kafka to themselves, as they are on nodes of their own: ingest ends where a message is
// durable. The operator would put the router back and so rests meanwhile.
func (b *bench) stopRouter(ctx context.Context, _ *strings.Builder) error {
	_, err := b.kubectl(ctx, "-n", operatorNamespace, "scale", "deployment/yingda-operator", "--replicas=0")
	if err == nil {
		_, err = b.kubectl(ctx, "scale", "deployment/"+brand+"-router", "--replicas=0")
	}
	if err == nil {
		_, err = b.kubectl(ctx, "wait", "pod", "-l", "app.kubernetes.io/component=router", "--for=delete", rolloutTimeout)
	}
	return err
}

// startRouter puts both back; it is safe to repeat.
func (b *bench) startRouter(ctx context.Context) error {
	_, routerErr := b.kubectl(ctx, "scale", "deployment/"+brand+"-router", "--replicas=1")
	_, operatorErr := b.kubectl(ctx, "-n", operatorNamespace, "scale", "deployment/yingda-operator", "--replicas=1")
	return errors.Join(routerErr, operatorErr)
}

// catchUp starts the router again and measures how fast it works off what ingest left behind.
func (b *bench) catchUp(ctx context.Context, report *strings.Builder) error {
	backlog, err := b.lag(ctx)
	if err != nil {
		return err
	}
	before, began := usages(), time.Now()
	if err := b.startRouter(ctx); err != nil {
		return err
	}
	err = await(ctx, "the router to catch up", catchUpLimit, func() (bool, error) {
		left, err := b.lag(ctx)
		return left == 0, err
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	rate := float64(backlog) / took.Seconds()
	fmt.Printf("catch-up: %d messages in %s\n", backlog, took.Round(time.Second))
	fmt.Fprintf(report, "## The router catches up\n\n%d messages of the measurements above, worked off by one router from its start, pod start included: **%.0f messages/s**.\nProcessor seconds per 1,000 messages: %s.\n\n",
		backlog, rate, describe(perThousand(before, float64(backlog)), "%.2f s"))
	return b.settle(ctx)
}

// lag is how many records of the inbound topic the routers have not committed.
func (b *bench) lag(ctx context.Context) (int64, error) {
	names := bus.Names{Prefix: "yingda", Namespace: namespace, Brand: brand}
	topic, group := names.Inbound(), names.RouterGroup()
	client := &kafka.Client{Addr: kafka.TCP(strings.Split(b.brokers, ",")...), Timeout: 10 * time.Second}
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil || len(metadata.Topics) != 1 {
		return 0, fmt.Errorf("looking up the inbound topic: %w", err)
	}
	var partitions []int
	var ends []kafka.OffsetRequest
	for _, p := range metadata.Topics[0].Partitions {
		partitions = append(partitions, p.ID)
		ends = append(ends, kafka.LastOffsetOf(p.ID))
	}
	committed, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: partitions}})
	if err != nil {
		return 0, fmt.Errorf("asking for the router's offsets: %w", err)
	}
	last, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ends}})
	if err != nil {
		return 0, fmt.Errorf("asking for the topic's end: %w", err)
	}
	var lag int64
	for _, p := range last.Topics[topic] {
		lag += p.LastOffset
	}
	for _, p := range committed.Topics[topic] {
		lag -= max(0, p.CommittedOffset)
	}
	return lag, nil
}
