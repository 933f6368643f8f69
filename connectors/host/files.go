package host

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	fetchInterval = 500 * time.Millisecond
	// fetchLease keeps other replicas from a file; it is beyond the time-out of a fetch.
	fetchLease   = 90 * time.Second
	fetchTimeout = 60 * time.Second
	// fetchWorkers bounds the memory: a file may have 20 MB.
	fetchWorkers    = 2
	fetchBackoffMax = time.Hour
	// fetchGiveUp is when platforms have deleted their files.
	fetchGiveUp = 3 * 24 * time.Hour
)

// storeFiles is what connectors get of the store.
type storeFiles struct {
	store *store.Store
	clock func() time.Time
}

var _ connectors.Files = storeFiles{}

func (f storeFiles) Read(ctx context.Context, channel string, id uuid.UUID) (connectors.File, error) {
	contentType, data, ok, err := f.store.ReadFile(ctx, channel, id)
	if err == nil && !ok {
		err = connectors.ErrNoFile
	}
	return connectors.File{ContentType: contentType, Data: data}, err
}

func (f storeFiles) Uploaded(ctx context.Context, channel string, id uuid.UUID) (string, error) {
	return f.store.UploadedFile(ctx, channel, id, f.clock())
}

func (f storeFiles) SetUploaded(ctx context.Context, channel string, id uuid.UUID, platformID string, expires time.Time) error {
	return f.store.SetUploadedFile(ctx, channel, id, platformID, expires)
}

// forceSpacing is how often the platform lets an access token be refreshed by force.
const forceSpacing = 30 * time.Second

// storeTokens is the guard of forced refreshes over all replicas.
type storeTokens struct {
	store *store.Store
	clock func() time.Time
}

var _ connectors.TokenGuard = storeTokens{}

func (t storeTokens) MayForce(ctx context.Context, account string) (bool, error) {
	now := t.clock()
	return t.store.MayForceToken(ctx, account, now, now.Add(-forceSpacing))
}

// fetcher gets the files of customers from their platforms before these delete them.
type fetcher struct {
	table   *table
	store   *store.Store
	clock   func() time.Time
	metrics *metrics
	logger  *slog.Logger
	log     *steadyLog
}

func newFetcher(t *table, s *store.Store, clock func() time.Time, m *metrics, logger *slog.Logger) *fetcher {
	return &fetcher{table: t, store: s, clock: clock, metrics: m, logger: logger, log: newSteadyLog(logger, "look for files to fetch")}
}

func (f *fetcher) run(ctx context.Context) {
	poll(ctx, fetchInterval, f.log, f.pass)
}

// pass fetches some files; more says that others may wait.
func (f *fetcher) pass(ctx context.Context) (more bool, err error) {
	senders := f.table.senders()
	if len(senders) == 0 {
		return false, nil
	}
	now := f.clock()
	leaseCtx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	files, err := f.store.LeaseFiles(leaseCtx, senders, now, now.Add(fetchLease), fetchWorkers)
	if err != nil {
		return false, err
	}
	var workers sync.WaitGroup
	for _, file := range files {
		workers.Go(func() { f.fetch(ctx, file) })
	}
	workers.Wait()
	return len(files) == fetchWorkers, nil
}

func (f *fetcher) fetch(ctx context.Context, file store.FileToFetch) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	outcome, err := f.try(ctx, file)
	f.metrics.files.WithLabelValues(outcome).Inc()
	if err != nil {
		// The lease ends by itself, and somebody tries again.
		f.logger.WarnContext(ctx, "Cannot write down what became of a file", "Channel", file.Channel, "file", file.ID, "error", err)
	}
}

func (f *fetcher) try(ctx context.Context, file store.FileToFetch) (outcome string, err error) {
	connector, _ := f.table.sender(file.Channel)
	source, ok := connector.(connectors.FileSource)
	if !ok {
		return "deferred", f.store.RetryFile(ctx, file.ID, f.clock().Add(credentialsPause), "ChannelStopped")
	}
	fetched, err := source.FetchFile(ctx, file.PlatformID)
	if err == nil {
		f.table.worked(file.Channel, connector, callMedia)
		return "stored", f.store.StoreFile(ctx, file.ID, fetched.ContentType, fetched.Data)
	}
	failure := connectors.AsCallError(err)
	f.table.complained(file.Channel, connector, callMedia, failure)
	switch {
	case failure.Class == connectors.ClassPermanent:
		return "failed", f.store.FailFile(ctx, file.ID, failure.Reason)
	case f.clock().Sub(file.CreatedAt) > fetchGiveUp:
		return "failed", f.store.FailFile(ctx, file.ID, "Expired")
	}
	retry := f.clock().Add(min(backoff(file.Attempts, failure.RetryAfter), fetchBackoffMax))
	return "deferred", f.store.RetryFile(ctx, file.ID, retry, failure.Reason)
}
