package channel

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// waitsFor names what beside Ready is False, "" where nothing is.
	waitsFor string
	// webhookURL is empty while the pool's Service has no address.
	webhookURL string
	// pending says that asking the replicas again soon may change a finding.
	pending bool
}

func decide(seen *scene, settings dataplane.Settings) verdict {
	url := webhookURL(seen, settings)
	acknowledged := seen.judge(seen.channel.Name, seen.channel.Generation)
	credentials := judgeCredentials(seen)
	// The first that fails explains Ready, so they go from cause to effect.
	findings := []conditions.Condition{
		refs.Finding(problems(seen, settings.AllowedAPIBaseURLs)),
		ack.Blame(connectorAvailable(seen), seen.brand),
		ack.Blame(acknowledged, seen.brand),
		credentials,
	}
	permission := judgePermission(seen)
	proven := findings
	if slices.Contains(denied(channelReports(seen)), "send") {
		// Whose replies are refused serves nobody; what else the account may not do keeps no customer from an answer.
		proven = append(slices.Clone(findings), permission)
	}
	beside := []conditions.Condition{judgeWebhook(seen, url, settings.ServiceType), permission, judgeQuota(seen)}
	for _, finding := range []*conditions.Condition{judgeMenu(seen), judgeTaps(seen), seen.exposed} {
		if finding != nil {
			beside = append(beside, *finding)
		}
	}
	ready, waits := conditions.Summary(proven...), unfinished(beside)
	if ready.Status == metav1.ConditionTrue && waits != "" {
		ready.Message += "; what waits for somebody: " + waits
	}
	findings = append([]conditions.Condition{ready}, findings...)
	return verdict{
		findings:   append(findings, beside...),
		waitsFor:   waits,
		webhookURL: url,
		pending:    ack.Pending(acknowledged) || unproven(seen) || menuWaits(seen),
	}
}

// unfinished names the findings that are False, with their reasons.
func unfinished(findings []conditions.Condition) string {
	var waits []string
	for _, f := range findings {
		if f.Status == metav1.ConditionFalse {
			waits = append(waits, f.Type+" ("+f.Reason+")")
		}
	}
	return strings.Join(waits, ", ")
}

// problems lists what the Channel refers to and cannot have, the gravest first.
func problems(seen *scene, allowed []string) []refs.Problem {
	spec := seen.channel.Spec
	var found []refs.Problem
	switch {
	case seen.brand == nil:
		found = append(found, refs.NotFound("Brand", spec.BrandRef.Name))
	case seen.brand.Spec.Defaults.SkillGroupRef == nil:
		found = append(found, refs.Problem{
			Reason:  v1alpha1.ReasonNotFound,
			Message: "nobody would serve who no routing rule claims: set spec.defaults.skillGroupRef of Brand " + seen.brand.Name,
		})
	}
	if account := spec.WeChat(); account != nil {
		if problem := refs.CheckCredentials(account.CredentialsSecretRef.Name, seen.secret); problem != nil {
			found = append(found, *problem)
		}
		if problem := refs.CheckAddress(account.APIBaseURL, allowed); problem != nil {
			found = append(found, *problem)
		}
	}
	if problem := duplicate(seen); problem != nil {
		found = append(found, *problem)
	}
	if spec.PlaybookRef != nil && !seen.playbookExists {
		found = append(found, refs.NotFound("Playbook", spec.PlaybookRef.Name))
	}
	if spec.ServiceLevelRef != nil && !seen.serviceLevelExists {
		found = append(found, refs.NotFound("ServiceLevel", spec.ServiceLevelRef.Name))
	}
	return slices.Concat(found, routingProblems(seen), refs.NamesTaken(seen.met.inTheWay), refs.Refused(seen.met.refused))
}

func routingProblems(seen *scene) []refs.Problem {
	var found []refs.Problem
	named := map[string]bool{}
	for _, rule := range seen.channel.Spec.Routing {
		name, brand := rule.SkillGroupRef.Name, seen.channel.Spec.BrandRef.Name
		if named[name] {
			continue
		}
		named[name] = true
		switch group := seen.groups[name]; {
		case group == nil:
			found = append(found, refs.NotFound("SkillGroup", name))
		case group.Spec.BrandRef.Name != brand:
			found = append(found, refs.OfAnotherBrand(group, brand))
		}
	}
	return found
}

// duplicate blames the later of two Channels with one account.
func duplicate(seen *scene) *refs.Problem {
	return refs.AccountTaken(seen.channel, refs.Earlier(seen.channel, seen.sameAccount))
}

func connectorAvailable(seen *scene) conditions.Condition {
	if seen.deployment != nil && seen.deployment.Status.ReadyReplicas > 0 {
		return conditions.True(v1alpha1.ConditionConnectorAvailable, v1alpha1.ReasonAvailable, "A replica of the connector is ready")
	}
	return conditions.False(v1alpha1.ConditionConnectorAvailable, v1alpha1.ReasonNoReadyReplica, "No replica of the connector is ready")
}

// judgeCredentials merges what the replicas know. A refusal wins: the platform said it to one of them, and all use the
// same credentials. What was said of an older version of the Secret counts only while nobody has tried the current one.
func judgeCredentials(seen *scene) conditions.Condition {
	const condition = v1alpha1.ConditionCredentialsValid
	reports := channelReports(seen)
	verdict := conditions.Unknown(condition, v1alpha1.ReasonNotYetTried, "No connector has tried the credentials yet")
	for _, report := range reports {
		switch report.Credentials {
		case configz.CredentialsRejected:
			message := "The platform refused the credentials"
			if report.Message != "" {
				message += ": " + report.Message
			}
			if advice := credentialsAdvice(seen.channel, report.Reason); advice != "" {
				message += "; " + advice
			}
			return conditions.False(condition, v1alpha1.ReasonRejected, message)
		case configz.CredentialsAccepted:
			verdict = conditions.True(condition, v1alpha1.ReasonAccepted, "The platform accepted the credentials")
		case configz.CredentialsNotYetTried:
		}
	}
	return verdict
}

// unproven says whether a replica has yet to try the credentials, or to load the Secret's current version.
func unproven(seen *scene) bool {
	for _, answer := range seen.pool {
		report, knows := answer.Report.Channels[seen.channel.Name]
		if answer.Err != nil || !knows || report.Credentials == configz.CredentialsNotYetTried {
			return true
		}
		if seen.secret != nil && report.SecretVersion != "" && report.SecretVersion != seen.secret.ResourceVersion {
			return true
		}
	}
	return false
}

// channelReports are the replicas' reports on the Channel: those on the Secret's current version if there are any.
func channelReports(seen *scene) []configz.Channel {
	var all, current []configz.Channel
	for _, answer := range seen.pool {
		report, knows := answer.Report.Channels[seen.channel.Name]
		if answer.Err != nil || !knows {
			continue
		}
		all = append(all, report)
		if seen.secret != nil && report.SecretVersion == seen.secret.ResourceVersion && report.Credentials != configz.CredentialsNotYetTried {
			current = append(current, report)
		}
	}
	// The order of the pods is that of their random names; the message must not depend on it.
	byMessage := func(a, b configz.Channel) int { return strings.Compare(a.Message, b.Message) }
	slices.SortFunc(all, byMessage)
	slices.SortFunc(current, byMessage)
	if len(current) > 0 {
		return current
	}
	return all
}

// judgeWebhook remembers that the platform called: replicas forget it when they restart, the Channel must not. Another
// address has to be called anew.
func judgeWebhook(seen *scene, url string, serviceType corev1.ServiceType) conditions.Condition {
	const condition = v1alpha1.ConditionWebhookVerified
	verified := conditions.True(condition, v1alpha1.ReasonVerified, "The platform has called the webhook with a good signature")
	before, known := conditions.Find(seen.channel.Status.Conditions, condition)
	if known && before.Status == metav1.ConditionTrue && seen.channel.Status.WebhookURL == url {
		return verified
	}
	for _, answer := range seen.pool {
		if answer.Err == nil && answer.Report.Channels[seen.channel.Name].WebhookCalled {
			return verified
		}
	}
	if serviceType == corev1.ServiceTypeClusterIP && seen.channel.Spec.Exposure == nil {
		return conditions.False(condition, v1alpha1.ReasonNotYetCalled, "status.webhookURL is inside the cluster: route a public host to Service "+
			dataplane.WorkloadName(seen.channel.Spec.BrandRef.Name, dataplane.PoolOf(seen.channel))+", port "+strconv.Itoa(dataplane.PortHTTP)+
			", and enter that host with the path "+webhookPath(seen.channel)+" in the platform's console ("+consoleOf(seen.channel).push+"); it has not called yet")
	}
	return conditions.False(condition, v1alpha1.ReasonNotYetCalled, "Enter status.webhookURL in the platform's console ("+consoleOf(seen.channel).push+"); it has not called yet")
}

func webhookURL(seen *scene, settings dataplane.Settings) string {
	base := dataplane.URL(settings, seen.service)
	if exposure := seen.channel.Spec.Exposure; exposure != nil {
		base = dataplane.ExposedURL(exposure)
	}
	if base == "" {
		return ""
	}
	return base + webhookPath(seen.channel)
}

func webhookPath(channel *v1alpha1.Channel) string {
	return "/" + channel.Namespace + "/" + channel.Name
}
