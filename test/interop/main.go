// Command interop holds the WeChat simulator and our crypto against implementations of the same protocols by others: npm
// packages, run by Node.js. As callback servers they take the simulator's pushes, as clients they call its API, and what they
// encrypt we decrypt, and the reverse. It writes what passes and what cannot as Markdown.
//
// What cannot pass is named beforehand, with the reason, and is tried all the same: a peer that can after all fails the run as
// one does that cannot any more.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/yingda-dev/yingda/hack/wechatsim"
)

const folder = "test/interop"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := flag.String("out", "docs/interop.md", "the Markdown file to write")
	flag.Parse()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) (err error) {
	scratch, err := os.MkdirTemp("", "yingda-interop-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	node, err := newPeers(ctx, folder, scratch)
	if err != nil {
		return err
	}
	sim := wechatsim.New(wechatsim.Options{RetryDelay: 50 * time.Millisecond, PushTimeout: patience})
	server := httptest.NewServer(sim)
	defer func() {
		err = errors.Join(err, sim.Close())
		server.Close()
	}()
	r := &runner{peers: node, sim: sim, url: server.URL}
	for _, part := range []func(context.Context, *runner) error{cryptos, servers, clients} {
		if err := part(ctx, r); err != nil {
			return err
		}
	}
	report, err := r.report()
	if err != nil {
		return err
	}
	fmt.Print(report)
	if failed := r.failed(); failed != nil {
		return failed
	}
	if err := os.WriteFile(out, []byte(report), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// runner does what there is to do with peers, and keeps what came of it.
type runner struct {
	*peers
	sim *wechatsim.Server
	// url is the simulator's.
	url      string
	sections []*section
}

// section is a table of the report.
type section struct {
	title, intro string
	rows         []row
}

// row is one thing done together with a peer.
type row struct {
	peer, what string
	// limit is why the peer cannot, "" where it must.
	limit string
	err   error
}

// section begins a table.
func (r *runner) section(title, intro string) {
	r.sections = append(r.sections, &section{title: title, intro: intro})
}

// limits are what peers cannot do, by what it is.
type limits map[string]string

// try does something with a peer.
func (r *runner) try(peer string, known limits, what string, do func() error) {
	last := r.sections[len(r.sections)-1]
	last.rows = append(last.rows, row{peer, what, known[what], do()})
}

// failed is what went otherwise than it must.
func (r *runner) failed() error {
	var all []error
	for _, s := range r.sections {
		for _, one := range s.rows {
			switch {
			case one.limit == "" && one.err != nil:
				all = append(all, fmt.Errorf("%s: %s: %w", one.peer, one.what, one.err))
			case one.limit != "" && one.err == nil:
				all = append(all, fmt.Errorf("%s: %s: it passes, though it is said that it cannot (%s)", one.peer, one.what, one.limit))
			}
		}
	}
	return errors.Join(all...)
}

// same is an error unless the two are.
func same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, want %v", what, got, want)
	}
	return nil
}

// either is the first error.
func either(errs ...error) error { return cmp.Or(errs...) }
