package holidaycalendar

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/wait"
)

// offerAgain is after how long calendars are offered again that the API server did not take.
const offerAgain = 15 * time.Second

// Shipped brings the calendars that come with the operator to the cluster, once, when it has become the leader. Helm cannot:
// it looks up the kinds of all objects before it installs any, and it is the chart that brings this kind.
//
// They are shared with people: what these have changed of a calendar stays, and then the operator leaves all of it alone. One
// that is deleted comes back with the next start.
type Shipped struct {
	folder   string
	apply    *apply.Applier
	recorder events.EventRecorder
}

var _ manager.LeaderElectionRunnable = (*Shipped)(nil)

// NewShipped makes a Shipped of the YAML files in a folder, an object each.
func NewShipped(folder string, c client.Client, live client.Reader, recorder events.EventRecorder) *Shipped {
	return &Shipped{folder: folder, apply: apply.New(c, live, "shipped-calendars"), recorder: recorder}
}

// NeedLeaderElection is true: of several replicas one does it.
func (s *Shipped) NeedLeaderElection() bool { return true }

// Start offers the calendars until the API server has taken, or seen, all of them. A file that cannot be used stops the operator: it is
// a mistake of the installation.
func (s *Shipped) Start(ctx context.Context) error {
	calendars, err := s.read()
	if err != nil {
		return err
	}
	for {
		var failed []error
		for _, calendar := range calendars {
			failed = append(failed, s.offer(ctx, calendar))
		}
		err := errors.Join(failed...)
		if err == nil {
			return nil
		}
		logf.FromContext(ctx).Error(err, "Offering the shipped calendars failed, trying again", "after", offerAgain)
		if !wait.For(ctx, offerAgain) {
			return nil
		}
	}
}

func (s *Shipped) offer(ctx context.Context, calendar *unstructured.Unstructured) error {
	taken, err := s.apply.Offer(ctx, calendar.DeepCopy())
	if err == nil && !taken {
		s.recorder.Eventf(calendar, nil, corev1.EventTypeNormal, v1alpha1.ReasonKeptAsChanged, "Offer",
			"Days that come with this version were changed here: none is written; compare with those of the release")
	}
	return err
}

// read takes what is there as it is written, so that no field is applied that nobody wrote.
func (s *Shipped) read() ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(s.folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking for the shipped calendars: %w", err)
	}
	var calendars []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a shipped calendar: %w", err)
		}
		var known v1alpha1.HolidayCalendar
		if err := yaml.UnmarshalStrict(text, &known); err != nil {
			return nil, fmt.Errorf("reading the shipped calendar %s: %w", file, err)
		}
		calendar := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &calendar.Object); err != nil {
			return nil, fmt.Errorf("reading the shipped calendar %s: %w", file, err)
		}
		calendars = append(calendars, calendar)
	}
	return calendars, nil
}
