// Package controllers puts the controllers of all kinds into a manager, as an explicit list.
//
// It is the only place that knows all kinds; the packages below it never import one another. What they need of the world
// (clients, recorder, clock, randomness, the asker) comes in through Options.
package controllers

import (
	"context"
	"fmt"
	"io"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/controllers/agent"
	"github.com/yingda-dev/yingda/controllers/brand"
	"github.com/yingda-dev/yingda/controllers/channel"
	"github.com/yingda-dev/yingda/controllers/holidaycalendar"
	"github.com/yingda-dev/yingda/controllers/playbook"
	"github.com/yingda-dev/yingda/controllers/servicelevel"
	"github.com/yingda-dev/yingda/controllers/shiftschedule"
	"github.com/yingda-dev/yingda/controllers/skillgroup"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/reporter"
)

// EventSource is the name under which events are recorded.
const EventSource = "yingda-operator"

// Options are what the controllers work with.
type Options struct {
	// Client reads from the manager's cache and writes; nil for the manager's own.
	Client   client.Client
	Asker    ack.Asker
	Settings dataplane.Settings
	// Calendars is the folder with the HolidayCalendars that come with the operator; empty for none.
	Calendars string
	// Random is where tokens come from.
	Random io.Reader
	Now    func() time.Time
}

type controller interface {
	SetupWithManager(mgr ctrl.Manager) error
}

// Setup registers the indexes and all controllers with the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if err := refs.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if o.Client == nil {
		o.Client = mgr.GetClient()
	}
	live, recorder := mgr.GetAPIReader(), mgr.GetEventRecorder(EventSource)
	ofChannels := channel.Options{Client: o.Client, Live: live, Asker: o.Asker, Recorder: recorder, Settings: o.Settings, Now: o.Now}
	channels := channel.New(ofChannels)
	reports := reporter.Options{Client: o.Client, Live: live, Asker: o.Asker, Recorder: recorder, Now: o.Now}
	for _, c := range []controller{
		brand.New(brand.Options{Client: o.Client, Live: live, Asker: o.Asker, Recorder: recorder, Settings: o.Settings, Now: o.Now}),
		channels,
		channels.Replicas(),
		channel.NewPool(ofChannels, channels),
		skillgroup.New(reports),
		shiftschedule.New(reports),
		holidaycalendar.New(reports),
		agent.New(agent.Options{Client: o.Client, Live: live, Asker: o.Asker, Recorder: recorder, Random: o.Random, Now: o.Now}),
		playbook.New(reports),
		servicelevel.New(reports),
	} {
		if err := c.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("setting up %T: %w", c, err)
		}
	}
	if o.Calendars != "" {
		if err := mgr.Add(holidaycalendar.NewShipped(o.Calendars, o.Client, live, recorder)); err != nil {
			return fmt.Errorf("adding the shipped calendars: %w", err)
		}
	}
	return nil
}
