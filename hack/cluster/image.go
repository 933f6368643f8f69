package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
)

// imageUser is the "nonroot" user of the distroless images: the restricted Pod
// Security profile wants a number that is not 0.
const imageUser = "65532:65532"

// digestLabel holds the binary's SHA-256, for people who look at an image.
const digestLabel = "dev.yingda.binary.sha256"

// imageSpec asks for an image of one static binary.
type imageSpec struct {
	name       string
	binary     string
	entrypoint string
}

// loadImage makes the image and imports it, unless the cluster has it already.
func (c *cluster) loadImage(ctx context.Context, spec imageSpec) error {
	if spec.entrypoint == "" {
		spec.entrypoint = "/" + filepath.Base(spec.binary)
	}
	if err := c.dialContainerd(ctx); err != nil {
		return fmt.Errorf("the cluster in %s is not up: %w", c.layout.dir, err)
	}
	loaded, err := c.ensureImage(ctx, spec)
	if err != nil {
		return err
	}
	if loaded {
		c.step("image %s loaded from %s", spec.name, spec.binary)
	} else {
		c.step("image %s is there already", spec.name)
	}
	return nil
}

func (c *cluster) ensureImage(ctx context.Context, spec imageSpec) (loaded bool, err error) {
	tag, err := name.NewTag(spec.name)
	if err != nil {
		return false, fmt.Errorf("parsing the image name: %w", err)
	}
	binary, err := os.ReadFile(spec.binary)
	if err != nil {
		return false, fmt.Errorf("reading the image's binary: %w", err)
	}
	image, err := buildImage(binary, spec.entrypoint)
	if err != nil {
		return false, fmt.Errorf("making the image %s: %w", spec.name, err)
	}
	present, err := c.hasImage(ctx, tag, image)
	if err != nil || present {
		return false, err
	}
	if err := c.importImage(ctx, tag, image); err != nil {
		return false, fmt.Errorf("importing the image %s: %w", spec.name, err)
	}
	// The import tells the kubelet's side of containerd by an event.
	if err := waitFor(ctx, criTimeout, func(ctx context.Context) error {
		present, err := c.hasImage(ctx, tag, image)
		if err == nil && !present {
			err = fmt.Errorf("image %s was imported, but containerd does not list it", spec.name)
		}
		return err
	}); err != nil {
		return true, err
	}
	return true, c.removeNameless(ctx)
}

// removeNameless removes images whose name a newer one has taken, which would
// add up with every build. Containers that run from one are not disturbed.
func (c *cluster) removeNameless(ctx context.Context) error {
	service, err := criclient.NewRemoteImageService(ctx, c.layout.criEndpoint(), criTimeout, nil, false)
	if err != nil {
		return fmt.Errorf("connecting to containerd: %w", err)
	}
	defer func() { _ = service.Close(ctx) }()
	images, err := service.ListImages(ctx, nil)
	if err != nil {
		return fmt.Errorf("listing images: %w", err)
	}
	var errs []error
	for _, image := range images {
		if len(image.GetRepoTags()) > 0 {
			continue
		}
		if err := service.RemoveImage(ctx, &runtimeapi.ImageSpec{Image: image.GetId()}); err != nil {
			errs = append(errs, fmt.Errorf("removing an old image: %w", err))
		}
	}
	return errors.Join(errs...)
}

// hasImage compares the digest of the image's configuration, which covers its
// content: containerd writes the manifest anew on import.
func (c *cluster) hasImage(ctx context.Context, tag name.Tag, image v1.Image) (bool, error) {
	service, err := criclient.NewRemoteImageService(ctx, c.layout.criEndpoint(), criTimeout, nil, false)
	if err != nil {
		return false, fmt.Errorf("connecting to containerd: %w", err)
	}
	defer func() { _ = service.Close(ctx) }()
	want, err := image.ConfigName()
	if err != nil {
		return false, fmt.Errorf("reading the image's digest: %w", err)
	}
	status, err := service.ImageStatus(ctx, &runtimeapi.ImageSpec{Image: qualified(tag)}, false)
	if err != nil {
		return false, fmt.Errorf("asking for the image %s: %w", tag, err)
	}
	return status.GetImage().GetId() == want.String(), nil
}

// qualified is the name under which containerd keeps what people call "x:dev".
func qualified(tag name.Tag) string {
	return strings.Replace(tag.Name(), "index.docker.io/", "docker.io/", 1)
}

// buildImage puts the binary into one uncompressed layer over nothing. Times
// are zero, so that the same binary always makes the same image.
func buildImage(binary []byte, entrypoint string) (v1.Image, error) {
	layer, err := binaryLayer(binary, entrypoint)
	if err != nil {
		return nil, err
	}
	base := mutate.MediaType(empty.Image, types.DockerManifestSchema2)
	image, err := mutate.AppendLayers(base, static.NewLayer(layer, types.DockerUncompressedLayer))
	if err != nil {
		return nil, fmt.Errorf("adding the layer: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the image's configuration: %w", err)
	}
	config = config.DeepCopy()
	digest := sha256.Sum256(binary)
	config.OS, config.Architecture = "linux", goruntime.GOARCH
	config.Config = v1.Config{
		User: imageUser, Entrypoint: []string{entrypoint}, WorkingDir: "/",
		Env:    []string{"PATH=" + path.Dir(entrypoint)},
		Labels: map[string]string{digestLabel: hex.EncodeToString(digest[:])},
	}
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return nil, fmt.Errorf("setting the image's configuration: %w", err)
	}
	return image, nil
}

func binaryLayer(binary []byte, entrypoint string) ([]byte, error) {
	entrypoint = path.Clean(entrypoint)
	if !path.IsAbs(entrypoint) || entrypoint == "/" {
		return nil, fmt.Errorf("the entrypoint %q must be an absolute path of a file", entrypoint)
	}
	var buffer bytes.Buffer
	buffer.Grow(len(binary) + 8<<10)
	layer := tar.NewWriter(&buffer)
	for i, r := range entrypoint {
		if r != '/' || i == 0 {
			continue
		}
		if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: entrypoint[1:i] + "/", Mode: 0o755}); err != nil {
			return nil, fmt.Errorf("writing the layer: %w", err)
		}
	}
	if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: entrypoint[1:], Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return nil, fmt.Errorf("writing the layer: %w", err)
	}
	if _, err := layer.Write(binary); err != nil {
		return nil, fmt.Errorf("writing the layer: %w", err)
	}
	if err := layer.Close(); err != nil {
		return nil, fmt.Errorf("writing the layer: %w", err)
	}
	return buffer.Bytes(), nil
}

// importImage streams the image into containerd's own client program.
func (c *cluster) importImage(ctx context.Context, tag name.Tag, image v1.Image) error {
	ctr, ok := requirement{paths: searchIn("ctr")}.find()
	if !ok {
		return fmt.Errorf("ctr is missing: please install the Debian package containerd")
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(tarball.Write(tag, image, writer)) }()
	cmd := exec.CommandContext(ctx, ctr, "--address="+c.layout.socket(), "--namespace=k8s.io", "images", "import", "-")
	cmd.Stdin = reader
	output, err := cmd.CombinedOutput()
	// Ends the writer too when ctr has failed before reading everything.
	_ = reader.Close()
	if err != nil {
		return fmt.Errorf("running ctr: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// ensurePauseImage loads the image that holds every pod's namespaces. Its
// program is built beside this one.
func (c *cluster) ensurePauseImage(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	binary := filepath.Join(filepath.Dir(self), "pause")
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("the program pause must lie beside %s (the build command in README.md makes both): %w", self, err)
	}
	_, err = c.ensureImage(ctx, imageSpec{name: pauseImage, binary: binary, entrypoint: "/pause"})
	return err
}
