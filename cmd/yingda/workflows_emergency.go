package main

import (
	"time"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/emergency"
)

// emergencyActivities are the steps of emergencies in this process.
func emergencyActivities(p *process, database *store.Store, people directory) *emergency.Activities {
	return &emergency.Activities{
		Store: database, Directory: people, Events: p.names().Events(), Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
	}
}

func (d directory) OnCall(group string) []string { return d.view.Snapshot().OnCall(group) }

func (d directory) Hours() *schedule.Schedule { return d.view.Snapshot().Schedule }
