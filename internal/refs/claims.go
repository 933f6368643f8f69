package refs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/mail"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

// What only one object may have: an account on its platform, a Temporal namespace, a database. Controllers and admission
// judge by the same functions. Who has it already keeps it, and of two who want it the earlier one gets it. Admission asks of
// all, since what is not there yet is later than whatever is.

// Earlier are those of the others that were made before self. Of those made in the same second the first by namespace and
// name is the earlier.
func Earlier[T any, P interface {
	*T
	metav1.Object
}](self P, others []T,
) []T {
	var found []T
	for i := range others {
		if earlier(P(&others[i]), self) {
			found = append(found, others[i])
		}
	}
	return found
}

func earlier(a, b metav1.Object) bool {
	ofA, ofB := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !ofA.Equal(&ofB) {
		return ofA.Before(&ofB)
	}
	return compareNames(a, b) < 0
}

func compareNames(a, b metav1.Object) int {
	return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
}

// AccountHolders are the other Channels of all namespaces with the Channel's account, by name: a platform sends an
// account's messages to one webhook only.
func AccountHolders(ctx context.Context, reader client.Reader, channel *v1alpha1.Channel) ([]v1alpha1.Channel, error) {
	var holders []v1alpha1.Channel
	for _, account := range accountOf(channel) {
		var channels v1alpha1.ChannelList
		if err := reader.List(ctx, &channels, client.MatchingFields{ByAccount: account}); err != nil {
			return nil, fmt.Errorf("listing the Channels of the account: %w", err)
		}
		for i := range channels.Items {
			if other := &channels.Items[i]; compareNames(other, channel) != 0 && HoldsAccount(other) {
				holders = append(holders, *other)
			}
		}
	}
	slices.SortFunc(holders, func(a, b v1alpha1.Channel) int { return compareNames(&a, &b) })
	return holders, nil
}

// HoldsAccount says whether a Channel has its account: until it is being deleted, and every replica has confirmed that it takes
// nothing more for it. Two that answer for one account would be worse than none for a moment.
func HoldsAccount(channel *v1alpha1.Channel) bool {
	if channel.DeletionTimestamp == nil {
		return true
	}
	confirmed := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionAcknowledged)
	return confirmed == nil || confirmed.Status != metav1.ConditionTrue || confirmed.ObservedGeneration != channel.Generation
}

// AccountTaken is the problem of a Channel whose account the first of the holders has; nil when there is none.
func AccountTaken(channel *v1alpha1.Channel, holders []v1alpha1.Channel) *Problem {
	if len(holders) == 0 {
		return nil
	}
	if holders[0].DeletionTimestamp != nil {
		return &Problem{
			Reason:  v1alpha1.ReasonDuplicateAccount,
			Message: holder("Channel", channel, &holders[0]) + " has this appID until every replica has confirmed that it is being deleted",
		}
	}
	return &Problem{
		Reason: v1alpha1.ReasonDuplicateAccount,
		Message: holder("Channel", channel, &holders[0]) + " has this appID already; an account belongs to one Channel:" +
			" use another one, or delete that Channel",
	}
}

// holder names who has what another wants; of another namespace nothing is told but that somebody has it.
func holder(kind string, self, other metav1.Object) string {
	if other.GetNamespace() != self.GetNamespace() {
		return "a " + kind + " of another namespace"
	}
	return kind + " " + other.GetName()
}

// CheckAddress says what keeps a Channel from calling its platform at an address; nil when nothing does.
func CheckAddress(address string, allowed []string) *Problem {
	if slices.Contains(allowed, address) {
		return nil
	}
	return &Problem{
		Reason: v1alpha1.ReasonAddressNotAllowed,
		Message: "apiBaseURL " + address + " is not on the operator's list of allowed addresses: leave it out to call the platform itself," +
			" or have the address added to the operator's --allowed-api-base-urls",
	}
}

// CheckWebhook says what keeps a Brand's webhook from being called; nil when nothing does.
func CheckWebhook(brand *v1alpha1.Brand, allowed []string) *Problem {
	if brand.Spec.OnCall == nil {
		return nil
	}
	return checkHost("onCall.webhook.url", brand.Spec.OnCall.Webhook.URL, allowed)
}

// CheckProvider says what keeps a Brand's provider from being called; nil when nothing does.
func CheckProvider(brand *v1alpha1.Brand, allowed []string) *Problem {
	if brand.Spec.Provider == nil {
		return nil
	}
	return checkHost("provider.url", brand.Spec.Provider.URL, allowed)
}

// CheckMail says what keeps a Brand's mail server from being called; nil when nothing does.
func CheckMail(brand *v1alpha1.Brand, allowed []string) *Problem {
	if brand.Spec.Mail == nil || mail.Allowed(brand.Spec.Mail, allowed) {
		return nil
	}
	return notAllowed("mail.host", mail.Server(brand.Spec.Mail))
}

func checkHost(name, address string, allowed []string) *Problem {
	if oncall.Allowed(address, allowed) {
		return nil
	}
	host, err := oncall.Host(address)
	if err != nil {
		return &Problem{Reason: v1alpha1.ReasonInvalid, Message: name + " cannot be used: " + err.Error()}
	}
	return notAllowed(name, host)
}

func notAllowed(name, host string) *Problem {
	return &Problem{
		Reason: v1alpha1.ReasonAddressNotAllowed,
		Message: name + " is of " + host + ", which is not on the operator's list of allowed hosts: have it added to the chart's" +
			" allowedWebhookHosts (the operator's --allowed-webhook-hosts)",
	}
}

// BrandRivals are the other Brands that have a connection in common with the Brand, by name: declared, or still worked in. One
// that is being deleted works until it is gone.
func BrandRivals(ctx context.Context, reader client.Reader, brand *v1alpha1.Brand) ([]v1alpha1.Brand, error) {
	var asks [][]client.ListOption
	for _, claim := range temporalClaims(brand) {
		asks = append(asks, []client.ListOption{client.MatchingFields{ByTemporal: claim}})
	}
	for _, login := range databaseClaims(brand) {
		asks = append(asks, []client.ListOption{client.InNamespace(brand.Namespace), client.MatchingFields{BySecret: login}})
	}
	found := map[types.NamespacedName]v1alpha1.Brand{}
	for _, options := range asks {
		var brands v1alpha1.BrandList
		if err := reader.List(ctx, &brands, options...); err != nil {
			return nil, fmt.Errorf("listing the Brands with the same connections: %w", err)
		}
		for i := range brands.Items {
			other := brands.Items[i]
			if compareNames(&other, brand) != 0 && (len(sharedTemporal(brand, &other)) > 0 || len(sharedLogins(brand, &other)) > 0) {
				found[client.ObjectKeyFromObject(&other)] = other
			}
		}
	}
	rivals := make([]v1alpha1.Brand, 0, len(found))
	for _, rival := range found {
		rivals = append(rivals, rival)
	}
	slices.SortFunc(rivals, func(a, b v1alpha1.Brand) int { return compareNames(&a, &b) })
	return rivals, nil
}

// TemporalTaken is the problem of a Brand whose Temporal namespace one of the others has; nil when none has.
func TemporalTaken(brand *v1alpha1.Brand, others []v1alpha1.Brand) *Problem {
	for i := range others {
		if !slices.Contains(temporalClaims(&others[i]), temporalClaim(brand)) {
			continue
		}
		return &Problem{
			Reason: v1alpha1.ReasonDuplicateTemporalNamespace,
			Message: holder("Brand", brand, &others[i]) + " has the Temporal namespace " + dataplane.TemporalNamespace(brand) + " of " +
				brand.Spec.Temporal.Address + " already, and two Brands in one would take each other's work:" +
				" make this Brand with another spec.temporal.namespace",
		}
	}
	return nil
}

// DatabaseTaken is the problem of a Brand whose database one of the others has; nil when none has. Contents of Secrets are
// not known, so two Secrets that name one database are not found here: setup finds them.
func DatabaseTaken(brand *v1alpha1.Brand, others []v1alpha1.Brand) *Problem {
	for i := range others {
		shared := sharedLogins(brand, &others[i])
		at := slices.IndexFunc(shared, func(login string) bool { return slices.Contains(logins(brand), login) })
		if at < 0 {
			continue
		}
		return &Problem{
			Reason: v1alpha1.ReasonDuplicateDatabase,
			Message: holder("Brand", brand, &others[i]) + " has the database of Secret " + shared[at] +
				" already, and two Brands in one would take each other's work: name Secrets of another database in spec.postgres",
		}
	}
	return nil
}

// BrandTaken are the problems of a Brand that declares what a rival keeps: one that was set up on it, and where neither or both
// were, the one made earlier.
func BrandTaken(brand *v1alpha1.Brand, rivals []v1alpha1.Brand) []Problem {
	var found []Problem
	for _, problem := range []*Problem{
		TemporalTaken(brand, keepers(brand, rivals, sharedTemporal, heldTemporal)),
		DatabaseTaken(brand, keepers(brand, rivals, sharedLogins, heldLogins)),
	} {
		if problem != nil {
			found = append(found, *problem)
		}
	}
	return found
}

// keepers are the rivals that keep what they share with the Brand.
func keepers(brand *v1alpha1.Brand, rivals []v1alpha1.Brand, shared func(a, b *v1alpha1.Brand) []string, held func(*v1alpha1.Brand) []string) []v1alpha1.Brand {
	var found []v1alpha1.Brand
	for i := range rivals {
		rival := &rivals[i]
		both := shared(brand, rival)
		ours, theirs := overlap(held(brand), both), overlap(held(rival), both)
		if len(theirs) > 0 && len(ours) == 0 || (len(theirs) > 0) == (len(ours) > 0) && earlier(rival, brand) {
			found = append(found, *rival)
		}
	}
	return found
}

// Connections are what the Brand works in once it is set up as it is declared.
func Connections(brand *v1alpha1.Brand) *v1alpha1.BrandConnections {
	return &v1alpha1.BrandConnections{Temporal: temporalClaim(brand), PostgresSecrets: logins(brand)}
}

func sharedTemporal(a, b *v1alpha1.Brand) []string {
	return overlap(temporalClaims(a), temporalClaims(b))
}

// sharedLogins name the Secrets by which both Brands connect to a database, which then is one.
func sharedLogins(a, b *v1alpha1.Brand) []string {
	if a.Namespace != b.Namespace {
		return nil
	}
	return overlap(databaseClaims(a), databaseClaims(b))
}

// overlap are the elements of a that b has, too.
func overlap(a, b []string) []string {
	var both []string
	for _, one := range a {
		if slices.Contains(b, one) && !slices.Contains(both, one) {
			both = append(both, one)
		}
	}
	return both
}

// temporalClaims and databaseClaims are what a Brand declares, and what it works in until it is set up on that.
func temporalClaims(brand *v1alpha1.Brand) []string {
	return append([]string{temporalClaim(brand)}, heldTemporal(brand)...)
}

func databaseClaims(brand *v1alpha1.Brand) []string {
	return append(logins(brand), heldLogins(brand)...)
}

func heldTemporal(brand *v1alpha1.Brand) []string {
	if held := brand.Status.Connections; held != nil && held.Temporal != "" {
		return []string{held.Temporal}
	}
	return nil
}

func heldLogins(brand *v1alpha1.Brand) []string {
	if held := brand.Status.Connections; held != nil {
		return held.PostgresSecrets
	}
	return nil
}

// logins are the Secrets by which a Brand connects to its database.
func logins(brand *v1alpha1.Brand) []string {
	names := []string{dataplane.OwnerLogin(brand)}
	if own := dataplane.OwnConnectorLogin(brand); own != "" {
		names = append(names, own)
	}
	return names
}

// temporalClaim is the same for all ways of writing one Temporal namespace of one Service: a name without dots is one of the
// Brand's own namespace, and the cluster's domain may be left out. What else resolves to the same address is not known.
func temporalClaim(brand *v1alpha1.Brand) string {
	host, port, err := net.SplitHostPort(strings.ToLower(brand.Spec.Temporal.Address))
	if err != nil {
		host, port = brand.Spec.Temporal.Address, ""
	}
	host = strings.TrimSuffix(host, ".")
	for _, domain := range []string{".svc.cluster.local", ".svc"} {
		if short, cut := strings.CutSuffix(host, domain); cut && strings.Contains(short, ".") {
			host = short
			break
		}
	}
	if _, err := netip.ParseAddr(host); err != nil && !strings.Contains(host, ".") {
		host += "." + brand.Namespace
	}
	return host + ":" + port + "/" + dataplane.TemporalNamespace(brand)
}
