package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// folder is a brand's folder of YAML: what kubectl apply -k sends, as far as the stack beside the cluster must know it.
type folder struct {
	path     string
	brand    v1alpha1.Brand
	channels []v1alpha1.Channel
	agents   []string
	// secrets are what the folder's Secrets hold, by name.
	secrets map[string]map[string]string
}

// folderPath is a folder of config/samples by its name, or any folder by its path.
func (l *local) folderPath(name string) (string, error) {
	if name == "" {
		return "", errors.New("say which brand: the name of a folder in config/samples, or the path of one of your own")
	}
	path := l.source(filepath.Join("config", "samples", name))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no folder %s, neither in config/samples nor here", name)
	}
	return path, nil
}

// samples are the folders of config/samples that are for the local stack: those whose Channels call its simulator.
func (l *local) samples(ctx context.Context) ([]*folder, error) {
	entries, err := os.ReadDir(l.source("config/samples"))
	if err != nil {
		return nil, fmt.Errorf("listing the samples: %w", err)
	}
	var all []*folder
	for _, entry := range entries {
		f, err := l.openFolder(ctx, entry.Name())
		if err != nil {
			return nil, err
		}
		if len(f.apps()) > 0 {
			all = append(all, f)
		}
	}
	return all, nil
}

func (l *local) openFolder(ctx context.Context, name string) (*folder, error) {
	path, err := l.folderPath(name)
	if err != nil {
		return nil, err
	}
	text, err := l.kubectl(ctx, "kustomize", path)
	if err != nil {
		return nil, err
	}
	f, err := readFolder(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	f.path = path
	return f, nil
}

// readFolder reads what kubectl kustomize printed.
func readFolder(text string) (*folder, error) {
	f := &folder{secrets: map[string]map[string]string{}}
	reader := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := reader.Decode(obj); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading its YAML: %w", err)
		}
		if err := f.add(obj); err != nil {
			return nil, err
		}
	}
	if f.brand.Name == "" {
		return nil, errors.New("it has no Brand")
	}
	if f.brand.Namespace == "" {
		return nil, errors.New("it names no namespace: set namespace in its kustomization.yaml")
	}
	return f, nil
}

// placeholder is what stands in config/samples/production where a credential is to be.
const placeholder = "FILL IN"

// checkFilledIn refuses a folder whose Secrets still hold placeholders: applied, they would replace credentials that are there.
func (f *folder) checkFilledIn() error {
	var missing []string
	for secret, content := range f.secrets {
		for key, value := range content {
			if strings.Contains(value, placeholder) {
				missing = append(missing, key+" of Secret "+secret)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%s still holds placeholders (%s): fill in %s, or take the Secrets out of its kustomization.yaml and bring them yourself",
		f.path, placeholder, strings.Join(missing, ", "))
}

func (f *folder) add(obj *unstructured.Unstructured) error {
	var err error
	convert := func(into any) {
		if err = runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, into); err != nil {
			err = fmt.Errorf("reading %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	switch obj.GetKind() {
	case "Brand":
		if f.brand.Name != "" {
			return errors.New("it has more than one Brand: give each a folder of its own")
		}
		convert(&f.brand)
	case "Channel":
		var channel v1alpha1.Channel
		convert(&channel)
		f.channels = append(f.channels, channel)
	case "Agent":
		f.agents = append(f.agents, obj.GetName())
	case "Secret":
		var secret corev1.Secret
		convert(&secret)
		content := map[string]string{}
		for key, value := range secret.Data {
			content[key] = string(value)
		}
		maps.Copy(content, secret.StringData)
		f.secrets[obj.GetName()] = content
	}
	return err
}

// login is one of a Brand's two ways into its database on the local stack.
type login struct {
	// secret is the Secret that holds it.
	secret string
	// role is its name in the database.
	role string
	// url is what the folder says of it; empty when the folder leaves the Secret to whoever makes the database.
	url string
}

// database is what the Brand's database on the local stack is called, and who owns it.
func (f *folder) database() string { return f.brand.Name }

// logins are the owner's and, where the Brand has one, the connectors'.
func (f *folder) logins() ([]login, error) {
	postgres := f.brand.Spec.Postgres
	all := []login{{secret: postgres.SecretRef.Name, role: f.database()}}
	if ref := postgres.ConnectorSecretRef; ref != nil {
		all = append(all, login{secret: ref.Name, role: f.database() + "_connector"})
	}
	for i := range all {
		all[i].url = f.secrets[all[i].secret]["url"]
		if err := all[i].check(f.database()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// check refuses a connection string that the local stack would not answer. It quotes none: they hold passwords.
func (l login) check(database string) error {
	if l.url == "" {
		return nil
	}
	const password = "PASSWORD"
	want := url.URL{Scheme: "postgres", User: url.UserPassword(l.role, password), Host: hostIP + ":" + postgresPort, Path: "/" + database, RawQuery: "sslmode=disable"}
	got, err := url.Parse(l.url)
	if err == nil {
		if _, has := got.User.Password(); has {
			got.User = url.UserPassword(got.User.Username(), password)
		}
	}
	if err != nil || got.String() != want.String() {
		return fmt.Errorf("the url in Secret %s is not one of the local stack: write %s, with a password of your choice", l.secret, want.String())
	}
	return nil
}

// apps are what the simulator must know of the folder's Channels: of those that call it, and whose Secret is in the folder.
func (f *folder) apps() []simulatorApp {
	var apps []simulatorApp
	for i := range f.channels {
		channel := &f.channels[i]
		spec := channel.Spec.WeChat()
		if spec == nil || spec.APIBaseURL != simulatorURL {
			continue
		}
		secret, known := f.secrets[spec.CredentialsSecretRef.Name]
		if !known {
			continue
		}
		apps = append(apps, simulatorApp{
			channel: channel.Name, AppID: spec.AppID, Name: channel.Spec.DisplayName,
			AppSecret: secret["appSecret"], Token: secret["token"], EncodingAESKey: secret["encodingAESKey"],
			OriginalID: "gh_" + strings.TrimPrefix(spec.AppID, "wx"), Mode: simulatorMode(spec.MessageMode),
			Kind: strings.ToLower(string(channel.Spec.Type[:1])) + string(channel.Spec.Type[1:]), Format: simulatorFormat(channel.Spec.Type),
			OpenPlatform: f.brand.Name, Templates: simulatorTemplates(channel),
		})
	}
	return apps
}

// simulatorTemplates are the templates of the notices that a Channel declares, as if somebody had chosen them in the console.
func simulatorTemplates(channel *v1alpha1.Channel) map[string]string {
	if channel.Spec.OfficialAccount == nil {
		return nil
	}
	templates := map[string]string{}
	for _, notice := range channel.Spec.OfficialAccount.Notices {
		var places []string
		for _, value := range notice.Values {
			places = append(places, "{{"+value.Key+".DATA}}")
		}
		templates[notice.TemplateID] = strings.Join(places, " ")
	}
	return templates
}

// simulatorFormat is how the simulator writes what it pushes: an official account knows XML alone.
func simulatorFormat(of v1alpha1.ChannelType) string {
	if of == v1alpha1.ChannelTypeOfficialAccount {
		return "XML"
	}
	return "JSON"
}

// simulatorMode is the simulator's word for a mode; Secure is the API's default.
func simulatorMode(mode v1alpha1.MessageMode) string {
	if mode == "" {
		mode = v1alpha1.MessageModeSecure
	}
	return strings.ToLower(string(mode))
}
