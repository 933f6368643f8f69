package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/wait"
)

// Deployment is the name under which Temporal knows the versions of the worker.
const Deployment = "yingda"

const (
	// becomeInterval is how often a version tries to become current, declaredInterval how often it asks later whether it is to be.
	becomeInterval   = 200 * time.Millisecond
	declaredInterval = 5 * time.Second
)

// Version is which build of the product a worker runs. Of several versions that poll, Temporal gives tasks to the current one, and
// cases move on to it with their next task: code that is new does not meet code that does not know it, and nothing waits for
// old workers, which may be killed.
type Version struct {
	Build string
	// Declared returns the build that is to be current, and a number that changes with it. It is not known from the workers: the
	// one that came last may be the one that a rollback is to remove.
	Declared func(ctx context.Context) (build string, turn int64, err error)
}

// version is a Version at work.
type version struct {
	Version
	client client.Client
	logger *slog.Logger
	// settled says that the version has been made current, or is not to be, or that there are no versions.
	settled atomic.Bool
}

// options are how its worker registers; none where the service knows no versions.
func (v *version) options(ctx context.Context) (options worker.DeploymentOptions, err error) {
	_, err = v.client.WorkerDeploymentClient().GetHandle(Deployment).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	_, denied := errors.AsType[*serviceerror.PermissionDenied](err)
	_, unknown := errors.AsType[*serviceerror.Unimplemented](err)
	_, none := errors.AsType[*serviceerror.NotFound](err)
	switch {
	case denied, unknown:
		v.settled.Store(true)
		return options, nil
	case err != nil && !none:
		return options, fmt.Errorf("asking Temporal for versions of the worker: %w", err)
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: Deployment, BuildID: v.Build},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}, nil
}

// serve makes the version current, once each time that it is declared, until ctx ends.
func (v *version) serve(ctx context.Context) {
	for made := int64(0); ; {
		build, turn, err := v.Declared(ctx)
		if err == nil && build == v.Build && turn != made {
			if err = v.become(ctx); err == nil {
				made = turn
			}
		}
		interval := declaredInterval
		if err == nil {
			v.settled.Store(true)
		} else if !v.settled.Load() {
			interval = becomeInterval
			v.logger.Debug("This version of the worker is not current yet", "build", v.Build, "error", err)
		} else {
			v.logger.Warn("Cannot tell whether this version of the worker is to be current", "build", v.Build, "error", err)
		}
		if !wait.For(ctx, interval) {
			return
		}
	}
}

// become makes the version current. It fails until the service has heard the worker poll.
func (v *version) become(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	deployment := v.client.WorkerDeploymentClient().GetHandle(Deployment)
	described, err := deployment.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return fmt.Errorf("looking for the current version: %w", err)
	}
	if current := described.Info.RoutingConfig.CurrentVersion; current != nil && current.BuildID == v.Build {
		return nil
	}
	_, err = deployment.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: v.Build, ConflictToken: described.ConflictToken,
	})
	if err != nil {
		return fmt.Errorf("setting the current version: %w", err)
	}
	v.logger.Info("Made this version of the worker current", "build", v.Build)
	return nil
}
