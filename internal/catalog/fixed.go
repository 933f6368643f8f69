package catalog

import (
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Fixed returns a Catalog of the given objects, which follows no API server and says that it does. Set replaces them.
func Fixed(namespace, brand string, given ...client.Object) *Catalog {
	c := New(namespace, brand, slog.New(slog.DiscardHandler))
	c.Set(given...)
	return c
}

// Set makes the given objects the catalog's only ones and tells the subscribers. Kinds that the data plane does not read
// are passed over. It is not for a Catalog that runs.
func (c *Catalog) Set(given ...client.Object) {
	var o objects
	for _, object := range given {
		switch object := object.DeepCopyObject().(type) {
		case *yingdav1.Brand:
			o.brands = append(o.brands, *object)
		case *yingdav1.Channel:
			o.channels = append(o.channels, *object)
		case *yingdav1.SkillGroup:
			o.groups = append(o.groups, *object)
		case *yingdav1.ShiftSchedule:
			o.schedules = append(o.schedules, *object)
		case *yingdav1.HolidayCalendar:
			o.calendars = append(o.calendars, *object)
		case *yingdav1.Agent:
			o.agents = append(o.agents, *object)
		case *yingdav1.Playbook:
			o.playbooks = append(o.playbooks, *object)
		case *yingdav1.ServiceLevel:
			o.levels = append(o.levels, *object)
		}
	}
	c.publish(c.builder.build(o))
	c.following.Store(true)
}

// Lose makes it say that the API server is away, until Set gives it other objects. It is not for a Catalog that runs.
func (c *Catalog) Lose() { c.following.Store(false) }
