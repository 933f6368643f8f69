package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
)

func TestTheSameBinaryMakesTheSameImage(t *testing.T) {
	digest := func(binary string) string {
		t.Helper()
		image, err := buildImage([]byte(binary), "/yingda")
		if err != nil {
			t.Fatal(err)
		}
		id, err := image.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		return id.String()
	}
	first := digest("a")
	if again := digest("a"); again != first {
		t.Error("two builds differ")
	}
	if other := digest("b"); other == first {
		t.Error("another binary makes the same image")
	}
}

func TestImageRunsTheBinaryAsAnUnprivilegedUser(t *testing.T) {
	image, err := buildImage([]byte("binary"), "/yingda")
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != imageUser {
		t.Errorf("user = %s, want %s", config.Config.User, imageUser)
	}
	if diff := cmp.Diff([]string{"/yingda"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint differs (-want +got):\n%s", diff)
	}
}

func TestLayerHoldsTheBinaryAndItsDirectories(t *testing.T) {
	layer, err := binaryLayer([]byte("binary"), "/usr/bin/app")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	reader := tar.NewReader(bytes.NewReader(layer))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
	if diff := cmp.Diff([]string{"usr/", "usr/bin/", "usr/bin/app"}, names); diff != "" {
		t.Errorf("layer differs (-want +got):\n%s", diff)
	}
}

func TestEntrypointsThatAreRefused(t *testing.T) {
	for _, entrypoint := range []string{"", "/", "yingda", "/a/.."} {
		if _, err := binaryLayer(nil, entrypoint); err == nil {
			t.Errorf("entrypoint %q was accepted", entrypoint)
		}
	}
}

func TestShortNamesGetContainerdsFullName(t *testing.T) {
	cases := map[string]string{
		"yingda:dev":                 "docker.io/library/yingda:dev",
		"registry.example/yingda:v1": "registry.example/yingda:v1",
	}
	for short, want := range cases {
		t.Run(short, func(t *testing.T) {
			tag, err := name.NewTag(short)
			if err != nil {
				t.Fatal(err)
			}
			if got := qualified(tag); got != want {
				t.Errorf("qualified() = %s, want %s", got, want)
			}
		})
	}
}
