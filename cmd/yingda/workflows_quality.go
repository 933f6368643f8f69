package main

import (
	"time"

	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/quality"
)

// quality is what looks back on the brand's conversations.
func (p *process) quality(database *store.Store, view *catalog.Catalog) *quality.Activities {
	return &quality.Activities{
		Store: database, Directory: directory{view, p.names()}, Playbooks: playbooks{view}, Events: p.names().Events(),
		Source: "/" + p.namespace + "/" + p.brand + "/workflows", Now: time.Now,
	}
}

// qualitySchedules keep when that happens as the resources say.
func (p *process) qualitySchedules(schedules client.ScheduleClient, view *catalog.Catalog, changed <-chan struct{}) *quality.Schedules {
	return &quality.Schedules{
		Client: schedules, TaskQueue: temporal.TaskQueue, Namespace: p.namespace, Brand: p.brand, Changed: changed, Logger: p.logger,
		Settings: func() quality.Settings {
			declared, on := view.Snapshot().Quality()
			return quality.Settings{
				On: on, SamplePercent: declared.SamplePercent, ReviewResponsesOver: declared.ReviewResponsesOver,
				DueWithin: declared.DueWithin, TimeZone: declared.TimeZone,
			}
		},
	}
}

// changes tells that the catalog has changed; many changes at once are told as one. Call it before the catalog runs.
func changes(view *catalog.Catalog) <-chan struct{} {
	changed := make(chan struct{}, 1)
	view.Subscribe(func(*catalog.Snapshot) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	return changed
}

// playbooks answers from the catalog what the bot says.
type playbooks struct{ view *catalog.Catalog }

func (p playbooks) PlaybookOf(channel string) string { return p.view.Snapshot().PlaybookOf(channel) }

func (p playbooks) Answers(playbook, question string) (name, asks string) {
	return p.view.Snapshot().Answers(playbook, question)
}
