// Command traces runs the trace collector for development: see the package's documentation.
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

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/yingda-dev/yingda/hack/traces"
)

const (
	headerTimeout   = 10 * time.Second
	answerTimeout   = 30 * time.Second
	maxHeader       = 16 << 10
	shutdownTimeout = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "traces:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	limits := traces.DefaultLimits()
	flags := flag.NewFlagSet("traces", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:4317", "address that takes OTLP over gRPC")
	web := flags.String("http", "127.0.0.1:8235", "address of the pages and the API")
	flags.IntVar(&limits.Traces, "traces", limits.Traces, "how many traces are kept")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading flags: %w", err)
	}
	var listening net.ListenConfig
	spans, err := listening.Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listening for spans: %w", err)
	}
	pages, err := listening.Listen(ctx, "tcp", *web)
	if err != nil {
		return errors.Join(fmt.Errorf("listening for people: %w", err), spans.Close())
	}
	fmt.Fprintf(os.Stdout, "Traces on http://%s, OTLP over gRPC on %s\n", pages.Addr(), spans.Addr())
	return serve(ctx, traces.NewStore(limits), spans, pages)
}

// serve answers on both listeners until the context ends or one of them fails.
func serve(ctx context.Context, store *traces.Store, spans, pages net.Listener) error {
	receiver := traces.NewReceiver(store)
	server := &http.Server{
		Handler: traces.NewHandler(store), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout,
		WriteTimeout: answerTimeout, MaxHeaderBytes: maxHeader,
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := receiver.Serve(spans); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("receiving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if err := server.Serve(pages); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		receiver.Stop()
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		return server.Shutdown(shutdown)
	})
	return group.Wait()
}
