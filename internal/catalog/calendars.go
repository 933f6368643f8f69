package catalog

import (
	"context"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// calendars follow the HolidayCalendars, which are the cluster's and no namespace's. The right to read them is given for the
// cluster; where it is not, or the kind is not installed, the namespace's resources must be served all the same. So they have
// an informer of their own, which looks nothing up and for which nobody waits once it has failed.
type calendars struct {
	informer toolscache.SharedIndexInformer
	// complete once all that there was at the start is in the store and was handled.
	complete toolscache.DoneChecker
	// failed holds the first failure.
	failed chan error
}

func (s *server) calendars(handled toolscache.ResourceEventHandler, lost context.CancelCauseFunc) (*calendars, error) {
	observed := &http.Client{Transport: &observer{next: s.transport, lost: lost}}
	requests, err := rest.RESTClientForConfigAndClient(s.direct, observed)
	if err != nil {
		return nil, fmt.Errorf("making a client for calendars: %w", err)
	}
	list := toolscache.NewListWatchFromClient(requests, "holidaycalendars", metav1.NamespaceAll, fields.Everything())
	c := &calendars{
		informer: toolscache.NewSharedIndexInformer(list, &yingdav1.HolidayCalendar{}, 0, nil),
		failed:   make(chan error, 1),
	}
	if err := c.informer.SetTransform(cache.TransformStripManagedFields()); err != nil {
		return nil, fmt.Errorf("preparing the informer of calendars: %w", err)
	}
	err = c.informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *toolscache.Reflector, err error) {
		select {
		case c.failed <- err:
		default:
			if ctx.Err() == nil {
				toolscache.DefaultWatchErrorHandler(ctx, r, err)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the informer of calendars: %w", err)
	}
	registration, err := c.informer.AddEventHandler(handled)
	if err != nil {
		return nil, fmt.Errorf("listening to the informer of calendars: %w", err)
	}
	c.complete = registration.HasSyncedChecker()
	return c, nil
}

// await waits for the first full view, and returns an error when there is none to be had for now.
func (c *calendars) await(ctx context.Context) error {
	select {
	case <-c.complete.Done():
		return nil
	case err := <-c.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// list returns all calendars; false while there is no full view of them.
func (c *calendars) list() ([]yingdav1.HolidayCalendar, bool) {
	if !toolscache.IsDone(c.complete) {
		return nil, false
	}
	var all []yingdav1.HolidayCalendar
	for _, object := range c.informer.GetStore().List() {
		if calendar, ok := object.(*yingdav1.HolidayCalendar); ok {
			all = append(all, *calendar)
		}
	}
	return all, true
}
