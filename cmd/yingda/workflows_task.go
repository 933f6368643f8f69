package main

import (
	"time"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/task"
)

// taskActivities are the steps of what is owed to customers.
func taskActivities(p *process, database *store.Store, answers directory) *task.Activities {
	return &task.Activities{
		Store: database, Directory: answers, Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows",
		Now: time.Now, Logger: p.logger, Metrics: task.NewMetrics(p.registry),
	}
}

func (d directory) Supervisors(group string) []string { return d.view.Snapshot().Supervisors(group) }

func (d directory) Opening(name string, since, now time.Time) (time.Time, bool) {
	group, _ := d.view.Snapshot().Group(name)
	return group.Opening(since, now)
}
