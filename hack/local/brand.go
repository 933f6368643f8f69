package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/internal/wait"
)

// addBrand onboards a brand's folder on the local cluster as docs/onboarding.md does by hand.
func (l *local) addBrand(ctx context.Context, name string) error {
	f, err := l.openFolder(ctx, name)
	if err != nil {
		return err
	}
	if _, err := l.kubectl(ctx, "get", "--raw", "/version"); err != nil {
		return fmt.Errorf("the local cluster does not answer: make up starts it: %w", err)
	}
	l.step("Database and simulator")
	if err := l.prepare(ctx, f); err != nil {
		return err
	}
	l.step("Brand %s, %s", f.brand.Name, f.path)
	if err := l.applyFolder(ctx, f); err != nil {
		return err
	}
	if err := l.applyDatabaseSecrets(ctx, f); err != nil {
		return err
	}
	if err := l.awaitReady(ctx, f.brand.Namespace); err != nil {
		return err
	}
	l.step("Ready")
	webhooks, err := l.connect(ctx, f)
	if err != nil {
		return err
	}
	for _, webhook := range webhooks {
		l.step("The simulator has verified %s", webhook)
	}
	g := &getter{ctx: ctx, l: l, namespace: f.brand.Namespace}
	desk := g.text("brand/"+f.brand.Name, "{.status.deskURL}")
	if g.err != nil {
		return g.err
	}
	fmt.Printf("\n%s\n", f.farewell(desk))
	return nil
}

// farewell says how to try the brand.
func (f *folder) farewell(desk string) string {
	lines := []string{"Workbench        " + desk}
	for _, agent := range f.agents {
		lines = append(lines, fmt.Sprintf("  sign in as     %s, token: bin/k8s/kubectl -n %s get secret %s-trial-token -o jsonpath='{.data.token}' | base64 -d", agent, f.brand.Namespace, agent))
	}
	for _, app := range f.apps() {
		lines = append(lines, fmt.Sprintf("Write to it      curl %s/%s/customers/o-you/messages -d '{\"content\":\"在吗\"}'", simulatorApps, app.AppID))
	}
	return strings.Join(append(lines, "Remove it        bin/k8s/kubectl delete -k "+f.path), "\n")
}

// prepare makes what lies beside the cluster: the database with its logins, and the simulator's apps. The platform knows an
// app before the brand calls it, or the credentials would be refused.
func (l *local) prepare(ctx context.Context, f *folder) error {
	if err := l.ensureDatabase(ctx, f); err != nil {
		return err
	}
	for _, app := range f.apps() {
		if err := register(ctx, app); err != nil {
			return err
		}
	}
	return nil
}

// applyFolder applies the folder. An API server whose kinds are new answers ServiceUnavailable for up to the 5 seconds in which
// its admission policies learn their schema: a person would apply again, and so does this.
func (l *local) applyFolder(ctx context.Context, f *folder) error {
	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := l.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", f.path)
		if err == nil || !strings.Contains(err.Error(), "(ServiceUnavailable)") || !wait.For(patience, time.Second) {
			return err
		}
	}
}

// databaseFiles is where hack/stack keeps the connection strings of the roles that it made, a file each.
func (l *local) databaseFiles() string { return l.data("postgres/brands") }

// ensureDatabase makes the Brand's database and logins: with the passwords of the folder's Secrets, otherwise with random
// ones.
func (l *local) ensureDatabase(ctx context.Context, f *folder) error {
	logins, err := f.logins()
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.path, err)
	}
	if err := os.MkdirAll(l.databaseFiles(), 0o700); err != nil {
		return fmt.Errorf("making the folder of logins: %w", err)
	}
	for _, login := range logins {
		if login.url == "" {
			continue
		}
		// A password that it finds is the one that hack/stack sets.
		if err := os.WriteFile(l.loginFile(login.role), []byte(login.url), 0o600); err != nil {
			return fmt.Errorf("noting a login: %w", err)
		}
	}
	_, err = l.output(ctx, l.bin("stack"), "postgres-ensure", "--url-file", l.data("postgres/superuser.url"), "--database", f.database(), "--out", l.databaseFiles())
	return err
}

func (l *local) loginFile(role string) string { return filepath.Join(l.databaseFiles(), role+".url") }

func (l *local) loginURL(role string) (string, error) {
	text, err := os.ReadFile(l.loginFile(role))
	if err != nil {
		return "", fmt.Errorf("reading the login %s: %w", role, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// applyDatabaseSecrets makes those Secrets with logins that the folder leaves to whoever makes the database.
func (l *local) applyDatabaseSecrets(ctx context.Context, f *folder) error {
	logins, err := f.logins()
	if err != nil {
		return err
	}
	var secrets []string
	for _, login := range logins {
		if login.url != "" {
			continue
		}
		address, err := l.loginURL(login.role)
		if err != nil {
			return err
		}
		secrets = append(secrets, fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q,"namespace":%q,"labels":{"yingda.dev/credentials":"true"}},"stringData":{"url":%q}}`,
			login.secret, f.brand.Namespace, address))
	}
	if len(secrets) == 0 {
		return nil
	}
	_, err = l.feed(ctx, strings.Join(secrets, "\n---\n"), l.cluster.kubectl, "apply", "--server-side", "-f", "-")
	return err
}

// awaitReady waits for every object of a namespace; when one does not come, the error shows where things stand.
func (l *local) awaitReady(ctx context.Context, namespace string) error {
	for _, kind := range []string{"brands", "channels", "skillgroups", "shiftschedules", "agents", "playbooks", "servicelevels"} {
		// kubectl takes it for a failure when there is nothing to wait for, and a brand need not have every kind.
		if there, err := l.kubectl(ctx, "-n", namespace, "get", kind+".yingda.dev", "-o", "name"); err == nil && strings.TrimSpace(there) == "" {
			continue
		}
		if _, err := l.kubectl(ctx, "-n", namespace, "wait", kind+".yingda.dev", "--all", "--for=condition=Ready", "--timeout="+readyTimeout); err != nil {
			list, _ := l.kubectl(ctx, "-n", namespace, "get", "yingda,pods")
			return fmt.Errorf("%w\n%s", err, list)
		}
	}
	return nil
}

// simulatorApp is the simulator's side of a Channel.
type simulatorApp struct {
	// channel is the Channel's name.
	channel string

	AppID          string `json:"appID"`
	AppSecret      string `json:"appSecret"`
	Token          string `json:"token"`
	EncodingAESKey string `json:"encodingAESKey,omitempty"`
	OriginalID     string `json:"originalID"`
	Name           string `json:"name"`
	Kind           string `json:"kind"`
	Mode           string `json:"mode"`
	Format         string `json:"format"`
	CallbackURL    string `json:"callbackURL,omitempty"`
	// OpenPlatform makes one person of a customer's accounts: all that a brand has are bound to one open platform account.
	OpenPlatform string `json:"openPlatform"`
	// Templates are those of the notices that the Channel declares, text by id.
	Templates map[string]string `json:"templates,omitempty"`
}

// register makes the simulator know an app; where it pushes to stays as it was.
func register(ctx context.Context, app simulatorApp) error {
	var known struct {
		Apps []simulatorApp `json:"apps"`
	}
	if err := call(ctx, http.MethodGet, simulatorApps, "", nil, &known); err != nil {
		return err
	}
	if i := slices.IndexFunc(known.Apps, func(a simulatorApp) bool { return a.AppID == app.AppID }); i >= 0 {
		app.CallbackURL = known.Apps[i].CallbackURL
	}
	return call(ctx, http.MethodPost, simulatorApps, "", app, nil)
}

// connect makes the simulator push to the webhooks of a brand's Channels, which it returns in the order of the apps.
func (l *local) connect(ctx context.Context, f *folder) ([]string, error) {
	var webhooks []string
	g := &getter{ctx: ctx, l: l, namespace: f.brand.Namespace}
	for _, app := range f.apps() {
		webhook := g.text("channel/"+app.channel, "{.status.webhookURL}")
		if g.err != nil {
			return nil, g.err
		}
		if err := connect(ctx, app.AppID, webhook); err != nil {
			return nil, err
		}
		webhooks = append(webhooks, webhook)
	}
	return webhooks, nil
}

// connect makes the simulator push to a Channel's webhook, which must answer its verification.
func connect(ctx context.Context, appID, webhookURL string) error {
	app := simulatorApps + "/" + appID
	if err := call(ctx, http.MethodPatch, app, "", map[string]string{"callbackURL": webhookURL}, nil); err != nil {
		return err
	}
	var verified struct {
		OK     bool   `json:"ok"`
		Status int    `json:"status"`
		Error  string `json:"error"`
	}
	if err := call(ctx, http.MethodPost, app+"/verify", "", nil, &verified); err != nil {
		return err
	}
	if !verified.OK {
		return fmt.Errorf("the webhook %s does not answer the platform's verification: status %d %s", webhookURL, verified.Status, verified.Error)
	}
	return nil
}
