// Package mail is the rules of e-mails to customers: which addresses are taken, where mail may be handed in, and how a mail is told from
// others.
//
// It sends nothing. Invariants: an address that Check takes cannot say anything but an address in a header or a command; an ID tells
// nothing of the customer, and is the same however often its mail is sent.
package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	maxAddress = 254
	maxLocal   = 64
	maxLabel   = 63
)

// ErrAddress says that something is no address that mail can be sent to.
var ErrAddress = errors.New("write it as name@host.example, at most 254 characters of the Latin alphabet")

// Check says whether mail can be sent to an address. Quoted names, addresses in brackets and names in other alphabets are not taken, which
// few have and many servers refuse.
func Check(address string) error {
	local, domain, there := strings.Cut(address, "@")
	labels := strings.Split(domain, ".")
	if !there || len(address) > maxAddress || len(local) > maxLocal || !localPart().MatchString(local) || len(labels) < 2 {
		return ErrAddress
	}
	for _, l := range labels {
		if len(l) > maxLabel || !label().MatchString(l) {
			return ErrAddress
		}
	}
	if _, err := strconv.Atoi(labels[len(labels)-1]); err == nil {
		return ErrAddress // The address of a machine.
	}
	return nil
}

func localPart() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*$`)
}

func label() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`) }

// Masked is an address as it may be shown to whoever reads along.
func Masked(address string) string {
	local, domain, there := strings.Cut(address, "@")
	if !there || local == "" {
		return ""
	}
	return local[:1] + "***@" + domain
}

// ID is the Message-ID, without brackets, of the mail by which a step of a case is told.
func ID(caseID, step, from string) string {
	sum := sha256.Sum256([]byte(caseID + "\x00" + step))
	return hex.EncodeToString(sum[:16]) + "@" + domainOf(from)
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// Domain is that of the address which mail is sent from.
func Domain(m *v1alpha1.BrandMail) string { return domainOf(m.From) }

// Port is where the server takes mail.
func Port(m *v1alpha1.BrandMail) int {
	const submission, submissions = 587, 465
	switch {
	case m.Port != 0:
		return int(m.Port)
	case m.Security == v1alpha1.MailTLS:
		return submissions
	default:
		return submission
	}
}

// Allowed says whether the server is one of the hosts, each of which has its port if that is not 443.
func Allowed(m *v1alpha1.BrandMail, hosts []string) bool {
	const https = ":443"
	server := strings.TrimSuffix(Server(m), https)
	return slices.ContainsFunc(hosts, func(host string) bool { return strings.TrimSuffix(strings.ToLower(host), https) == server })
}

// Server is where mail is handed in, as host:port.
func Server(m *v1alpha1.BrandMail) string {
	return net.JoinHostPort(strings.ToLower(m.Host), strconv.Itoa(Port(m)))
}
