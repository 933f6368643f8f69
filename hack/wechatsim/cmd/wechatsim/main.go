// Command wechatsim runs the WeChat platform simulator: see the README beside the package.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/yingda-dev/yingda/hack/wechatsim"
)

const (
	headerTimeout   = 10 * time.Second
	shutdownTimeout = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wechatsim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("wechatsim", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8090", "address to listen on")
	config := flags.String("config", "", "JSON file with the apps to start with")
	state := flags.String("state", "", "file that keeps apps and reply windows across restarts")
	publicURL := flags.String("public-url", "", "where receivers find pictures (default http:// and the listen address)")
	pushTimeout := flags.Duration("push-timeout", 0, "how long a push waits for its answer (default 5s)")
	retryDelay := flags.Duration("retry-delay", 0, "pause before a retry (default 1s)")
	history := flags.Int("history", 0, "messages remembered a customer (default 2000)")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading flags: %w", err)
	}
	if *publicURL == "" {
		*publicURL = "http://" + *listen
	}
	sim := wechatsim.New(wechatsim.Options{
		PushTimeout: *pushTimeout, RetryDelay: *retryDelay, History: *history, PublicURL: *publicURL, StateFile: *state,
	})
	err := serve(ctx, sim, *listen, *config)
	return errors.Join(err, sim.Close())
}

// serve loads the apps and answers until the context ends.
func serve(ctx context.Context, sim *wechatsim.Server, listen, config string) error {
	if err := loadApps(sim, config); err != nil {
		return err
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: headerTimeout}
	fmt.Fprintf(os.Stdout, "WeChat platform simulator on http://%s (%d apps)\n", listener.Addr(), len(sim.Apps()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	// Closing the simulator first ends the long polls, which would hold the shutdown up.
	err = sim.Close()
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err = errors.Join(err, server.Shutdown(shutdown))
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// loadApps takes the state first, which holds what was changed at run time; the file only adds what is missing there.
func loadApps(sim *wechatsim.Server, config string) error {
	if err := sim.LoadState(); err != nil {
		return fmt.Errorf("loading state: %w", err)
	}
	if config == "" {
		return nil
	}
	file, err := wechatsim.LoadConfig(config)
	if err != nil {
		return fmt.Errorf("loading config: %w", err)
	}
	known := map[string]bool{}
	for _, app := range sim.Apps() {
		known[app.AppID] = true
	}
	for _, app := range file.Apps {
		if known[app.AppID] {
			continue
		}
		if err := sim.PutApp(app); err != nil {
			return fmt.Errorf("adding app %s: %w", app.AppID, err)
		}
	}
	return nil
}
