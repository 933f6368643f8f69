package main

import (
	"fmt"
	"strings"
)

// packages are the peers, in the order of the report.
func packages() []struct{ name, role string } {
	return []struct{ name, role string }{
		{"wechat-crypto", "encryption and signatures; co-wechat and wechat use it"},
		{"@wecom/crypto", "encryption and signatures, by Tencent's WeCom"},
		{"co-wechat", "callback server for Koa"},
		{"wechat", "callback server for Connect"},
		{"co-wechat-api", "client"},
		{"wechat-api", "client"},
		{"node-easywechat", "client and callback server, with an encryption of its own"},
	}
}

// report is what came of it as Markdown. It is the same whenever the same came of it.
func (r *runner) report() (string, error) {
	var b strings.Builder
	b.WriteString(`# What passes with implementations of others

Written by ` + "`make interop`" + `, which needs Node.js 18 or newer with npm. The simulator (hack/wechatsim) and our crypto (connectors/wechat) are
held against npm packages that know nothing of ours: as callback servers they take the simulator's pushes, as clients they call its
API, and what they encrypt we decrypt, and the reverse. The connectors are tested with the simulator (connectors/conformance): a
mistake that both share would show here. No package reads encrypted JSON as a server; that rests on Tencent's own examples and on the
encryption below.

What a package cannot do is tried all the same, and fails the run once it passes.

| package | version | what it is |
|---|---|---|
`)
	for _, p := range packages() {
		version, err := r.version(p.name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.name, version, p.role)
	}
	for _, s := range r.sections {
		s.write(&b)
	}
	return b.String(), nil
}

func (s *section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| package | what | |\n|---|---|---|\n", s.title, s.intro)
	for _, one := range s.rows {
		result := "passes"
		switch {
		case one.limit != "":
			result = "cannot: " + one.limit
		case one.err != nil:
			result = "**fails**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", one.peer, one.what, result)
	}
}
