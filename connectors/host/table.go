package host

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// table holds the Channels of the pool as they are served. A Channel is served once it and its Secret were seen and its
// connector could be opened; what cannot be opened anew goes on as it was.
type table struct {
	kind     connectors.Type
	brand    string
	pool     string
	allowed  []string
	services connectors.Services
	logger   *slog.Logger
	metrics  *metrics
	checks   *checks

	mu      sync.RWMutex
	entries map[string]*entry
	secrets map[string]*corev1.Secret
}

// entry is one Channel; the table's mutex guards it.
type entry struct {
	channel *v1alpha1.Channel
	needs   connectors.Needs
	// problem says why the Channel as it is now could not be loaded, "" when it is.
	problem string

	// What is in force; connector is nil before the first load.
	connector     connectors.Connector
	fingerprint   string
	secretVersion string
	generation    int64
	stopCheck     func()

	credentials   configz.Credentials
	message       string
	webhookCalled bool
	gate          gate
	// denied and limited are the calls that the platform refuses for want of a right, and for their number, since when it last did.
	denied, limited grievances
	// menu is nil while nobody has looked at it.
	menu *configz.Menu
}

func newTable(kind connectors.Type, brand, pool string, allowed []string, services connectors.Services, m *metrics) *table {
	t := &table{
		kind: kind, brand: brand, pool: pool, allowed: allowed, services: services, logger: services.Logger, metrics: m,
		entries: map[string]*entry{}, secrets: map[string]*corev1.Secret{},
	}
	t.checks = newChecks(t.settle)
	return t
}

// setChannels replaces all Channels by what was listed.
func (t *table) setChannels(all []*v1alpha1.Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	listed := map[string]bool{}
	for _, channel := range all {
		listed[channel.Name] = true
		t.setLocked(channel)
	}
	for name := range t.entries {
		if !listed[name] {
			t.removeLocked(name)
		}
	}
	t.countLocked()
}

func (t *table) setChannel(channel *v1alpha1.Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setLocked(channel)
	t.countLocked()
}

func (t *table) removeChannel(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(name)
	t.countLocked()
}

func (t *table) setLocked(channel *v1alpha1.Channel) {
	if channel.Spec.BrandRef.Name != t.brand || dataplane.PoolOf(channel) != t.pool {
		t.removeLocked(channel.Name)
		return
	}
	e, ok := t.entries[channel.Name]
	if !ok {
		e = &entry{credentials: configz.CredentialsNotYetTried, stopCheck: func() {}}
		t.entries[channel.Name] = e
	}
	e.channel = channel
	needs, err := t.kind.Needs(channel)
	if err != nil {
		e.problem = err.Error()
		return
	}
	e.needs = needs
	t.loadLocked(e)
}

func (t *table) removeLocked(name string) {
	if e, ok := t.entries[name]; ok {
		e.stopCheck()
		closeConnector(e.connector)
		delete(t.entries, name)
	}
}

// setSecret is told of a Secret, nil for one that is not there. A Secret without the label is treated likewise: an author of
// Channels must not be able to point one at any Secret of the namespace.
func (t *table) setSecret(name string, secret *corev1.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if secret != nil && secret.Labels[v1alpha1.CredentialsLabel] != "true" {
		secret = nil
	}
	t.secrets[name] = secret
	for _, e := range t.entries {
		if e.needs.SecretName == name {
			t.loadLocked(e)
		}
	}
	t.countLocked()
}

// forgetSecret drops what was seen of a Secret that no Channel names any more.
func (t *table) forgetSecret(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.secrets, name)
}

// loadLocked brings what is in force to what was seen.
func (t *table) loadLocked(e *entry) {
	secret, seen := t.secrets[e.needs.SecretName]
	if !seen {
		return
	}
	if secret == nil {
		if e.connector != nil && e.channel.DeletionTimestamp != nil {
			// Who deletes both means that the Channel goes, and not that what is on its way to customers is lost.
			return
		}
		// It was there and is gone, or was never there: nothing may be said with these credentials any more.
		e.unload(fmt.Sprintf("the Secret %s does not exist or lacks the label %s", e.needs.SecretName, v1alpha1.CredentialsLabel))
		return
	}
	if e.connector != nil && e.fingerprint == e.needs.Fingerprint && e.secretVersion == secret.ResourceVersion {
		e.generation = e.channel.Generation
		if e.problem != "" {
			// What could not be loaded was taken back; what was in force all along is judged again, and what is refused stays so.
			e.problem, e.credentials, e.message = "", configz.CredentialsNotYetTried, ""
			if e.gate.rejected() {
				e.credentials, e.message = configz.CredentialsRejected, e.gate.refusal
			}
			e.stopCheck()
			e.stopCheck = t.checks.start(e.channel.Name, e.connector, 0)
		}
		return
	}
	connector, err := t.open(e, secret)
	if err != nil {
		e.problem = err.Error()
		e.credentials, e.message = configz.CredentialsRejected, e.problem
		t.logger.Warn("Cannot load a Channel; what was in force stays", "Channel", e.channel.Name, "error", err)
		return
	}
	e.stopCheck()
	closeConnector(e.connector)
	e.connector, e.fingerprint, e.secretVersion, e.generation = connector, e.needs.Fingerprint, secret.ResourceVersion, e.channel.Generation
	e.problem, e.credentials, e.message, e.gate = "", configz.CredentialsNotYetTried, "", gate{}
	e.denied, e.limited = nil, nil
	e.stopCheck = t.checks.start(e.channel.Name, connector, 0)
	t.logger.Info("Loaded a Channel", "Channel", e.channel.Name, "generation", e.generation)
}

func (t *table) open(e *entry, secret *corev1.Secret) (connectors.Connector, error) {
	if !slices.Contains(t.allowed, e.needs.APIBaseURL) {
		return nil, fmt.Errorf("the address %s is not on the operator's list of allowed platform addresses", e.needs.APIBaseURL)
	}
	return t.kind.Open(connectors.Config{Channel: e.channel, Secret: secret.Data, Services: t.services}) // Its error's text is for users as it is.
}

func (e *entry) unload(problem string) {
	e.stopCheck()
	closeConnector(e.connector)
	e.stopCheck, e.connector, e.secretVersion, e.generation = func() {}, nil, "", 0
	e.problem, e.credentials, e.message, e.gate = problem, configz.CredentialsNotYetTried, problem, gate{}
}

// closeConnector releases what a connector holds; calls under way end by themselves.
func closeConnector(connector connectors.Connector) {
	if closer, ok := connector.(interface{ Close() }); ok {
		closer.Close()
	}
}

// secretNames are the Secrets that Channels name.
func (t *table) secretNames() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var names []string
	for _, e := range t.entries {
		if name := e.needs.SecretName; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// find returns the connector of a Channel that takes calls, nil while it is not loaded; false for an unknown Channel, and for
// one that is being deleted: it only sends what is on its way.
func (t *table) find(name string) (connectors.Connector, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.entries[name]
	if !ok || e.channel.DeletionTimestamp != nil {
		return nil, false
	}
	return e.connector, true
}

// sender returns the connector of a Channel that may send: loaded, and its credentials not refused.
func (t *table) sender(name string) (connectors.Connector, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.entries[name]
	if !ok || e.connector == nil || e.gate.refusal != "" {
		return nil, false
	}
	return e.connector, true
}

// senders returns the Channels that may send. None is an empty list, never nil, which a query takes for unknown.
func (t *table) senders() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	senders := []string{}
	for name, e := range t.entries {
		if e.connector != nil && e.gate.refusal == "" {
			senders = append(senders, name)
		}
	}
	return senders
}

// called notes that the platform has called the webhook with a good signature.
func (t *table) called(name string) {
	t.mu.RLock()
	e, ok := t.entries[name]
	done := !ok || e.webhookCalled
	t.mu.RUnlock()
	if done {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[name]; ok {
		e.webhookCalled = true
	}
}

// refused stops a Channel whose credentials the platform refused in the middle of its work, until a check passes.
func (t *table) refused(name string, connector connectors.Connector, failure *connectors.CallError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[name]; ok && e.connector == connector && e.gate.refusal == "" {
		t.refuseLocked(e, failure)
	}
}

func (t *table) refuseLocked(e *entry, failure *connectors.CallError) {
	e.gate.refusal, e.gate.reason, e.gate.denied = credentialsMessage(failure), failure.Reason, failure.Reason == connectors.ReasonNotAuthorized
	e.stopCheck()
	e.stopCheck = t.checks.start(e.channel.Name, e.connector, recheckAfter)
	t.judgeLocked(e)
}

// settle takes the result of a check of the credentials in force.
func (t *table) settle(name string, connector connectors.Connector, failure *connectors.CallError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[name]
	if !ok || e.connector != connector || failure == nil && e.gate.unproven {
		return
	}
	e.gate.refusal, e.gate.reason, e.gate.unproven, e.gate.denied = "", "", false, false
	if failure != nil {
		// The check sees what is wrong, so it will see when it is mended.
		e.gate.refusal, e.gate.reason = credentialsMessage(failure), failure.Reason
	}
	t.judgeLocked(e)
}

// judgeLocked says what the platform thinks of what is in force, unless there is something to say of what could not be loaded.
func (t *table) judgeLocked(e *entry) {
	before := e.credentials
	if e.problem == "" {
		e.credentials, e.message = configz.CredentialsAccepted, ""
		if e.gate.rejected() {
			e.credentials, e.message = configz.CredentialsRejected, e.gate.refusal
		}
	}
	t.countLocked()
	switch {
	case before == e.credentials:
	case e.credentials == configz.CredentialsRejected:
		t.logger.Warn("The platform refuses a Channel's account; the Channel stops until it is accepted again", "Channel", e.channel.Name, "reason", e.message)
	default:
		t.logger.Info("The platform accepts a Channel's credentials", "Channel", e.channel.Name)
	}
}

func credentialsMessage(failure *connectors.CallError) string {
	return fmt.Sprintf("the platform answers %s (code %d)", failure.Reason, failure.Code)
}

func (t *table) countLocked() {
	counts := map[configz.Credentials]float64{configz.CredentialsNotYetTried: 0, configz.CredentialsAccepted: 0, configz.CredentialsRejected: 0}
	for _, e := range t.entries {
		counts[e.credentials]++
	}
	for credentials, count := range counts {
		t.metrics.channels.WithLabelValues(string(credentials)).Set(count)
	}
}

// report says what is served.
func (t *table) report() configz.Report {
	t.mu.RLock()
	defer t.mu.RUnlock()
	now := t.services.Clock()
	report := configz.Report{Objects: map[string]int64{}, Channels: map[string]configz.Channel{}}
	for name, e := range t.entries {
		switch {
		case e.channel.DeletionTimestamp != nil:
			// What there is to serve of it is that it takes no calls any more, and that needs nothing to be loaded.
			report.Objects[configz.ObjectKey("Channel", name)] = e.channel.Generation
		case e.connector != nil:
			report.Objects[configz.ObjectKey("Channel", name)] = e.generation
		}
		reason := ""
		if e.problem == "" && e.gate.rejected() {
			reason = e.gate.reason
		}
		report.Channels[name] = configz.Channel{
			Reason:      reason,
			Credentials: e.credentials, Message: e.message, SecretVersion: e.secretVersion, WebhookCalled: e.webhookCalled,
			Denied: e.deniedCalls(now), Limited: e.limitedCalls(now), Menu: e.menu,
		}
	}
	return report
}

// close releases what connectors hold.
func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name := range t.entries {
		t.removeLocked(name)
	}
}

const (
	// recheckAfter is the pause before refused credentials are tried again; it grows to recheckMost.
	recheckAfter = 30 * time.Second
	recheckMost  = 5 * time.Minute
	// unreachedAfter is the pause after a check that did not reach the platform; it grows to recheckAfter.
	unreachedAfter = time.Second
)
