package ack

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/dataplane"
)

// Server is who works by an object in a Brand: the replicas of one workload.
type Server struct {
	// Component and Pool are those of Target.
	Component, Pool string
	// Beside says that objects do not wait for the first of the replicas, see Group.
	Beside bool
	// Telling is the kind of which a replica must say that it tells, to be counted; empty counts all. During an upgrade a connector of
	// before, which does not tell of it, would be waited for until it is replaced, and for ever where the upgrade is stuck.
	Telling string
}

// Needed are the components without which nobody is served: objects wait for them.
func Needed(components ...string) []Server {
	servers := make([]Server, len(components))
	for i, component := range components {
		servers[i] = Server{Component: component}
	}
	return servers
}

// Beside are the components that work by objects for as long as they run, and that customers can do without for a while.
func Beside(components ...string) []Server {
	servers := Needed(components...)
	for i := range servers {
		servers[i].Beside = true
	}
	return servers
}

// NeededPools are the connectors of pools that objects wait for.
func NeededPools(pools ...string) []Server {
	servers := make([]Server, len(pools))
	for i, pool := range pools {
		servers[i] = Server{Component: dataplane.Connector, Pool: pool}
	}
	return servers
}

// PoolsBeside are the connectors of pools that work by a kind for as long as they run, those that tell of it.
func PoolsBeside(kind string, pools ...string) []Server {
	servers := NeededPools(pools...)
	for i := range servers {
		servers[i].Beside, servers[i].Telling = true, kind
	}
	return servers
}

// Serving asks servers in a Brand, all at once, one group each.
func Serving(ctx context.Context, asker Asker, namespace, brand string, servers ...Server) ([]Group, error) {
	groups := make([]Group, len(servers))
	var asking errgroup.Group
	for i, server := range servers {
		asking.Go(func() error {
			answers, err := asker.Ask(ctx, Target{Namespace: namespace, Brand: brand, Component: server.Component, Pool: server.Pool})
			if err != nil {
				return fmt.Errorf("asking the %s of Brand %s: %w", server.Component, brand, err)
			}
			groups[i] = Group{Name: server.Component, Beside: server.Beside, Answers: server.counted(answers)}
			return nil
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, err
	}
	return groups, nil
}

// counted are the answers that count. A replica that does not answer may be one that does.
func (s Server) counted(answers []Answer) []Answer {
	if s.Telling == "" {
		return answers
	}
	return slices.DeleteFunc(slices.Clone(answers), func(a Answer) bool { return a.Err == nil && !slices.Contains(a.Report.Kinds, s.Telling) })
}
