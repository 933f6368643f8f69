package brand

import (
	"fmt"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

// judgeMail says whether the mail server took the last mail, by the replica that tried last, or that none can be handed in. While none has
// tried since it started it is what it was before.
func judgeMail(before conditions.Condition, replicas []ack.Answer) conditions.Condition {
	const condition = v1alpha1.ConditionMailReached
	var last configz.Mail
	asked := false
	for _, answer := range replicas {
		asked = asked || answer.Err == nil
		if m := answer.Report.Mail; answer.Err == nil && m != nil && m.At.After(last.At) {
			last = *m
		}
	}
	switch last.Outcome {
	case configz.MailTaken:
		return conditions.True(condition, v1alpha1.ReasonMailTaken, "The mail server took the last mail")
	case configz.MailRefused:
		return conditions.False(condition, v1alpha1.ReasonMailRefused, fmt.Sprintf("The mail server refused the last mail for good, with %d: look at the address in"+
			" the case that says so, and check that the account may send as from in spec.mail", last.Code))
	case configz.MailDeferred:
		return conditions.False(condition, v1alpha1.ReasonMailDeferred,
			fmt.Sprintf("The mail server wants the last mail later, with %d; it is sent again for a day: check its limits if this stays", last.Code))
	case configz.MailUnreachable:
		return conditions.False(condition, v1alpha1.ReasonMailUnreachable,
			"The mail server could not be reached, or did not answer to the end: check host and port in spec.mail, and that pods may go there; the mail is sent again for a day")
	case configz.MailUntrusted:
		return conditions.False(condition, v1alpha1.ReasonMailUntrusted, "The mail server offers no secured connection in which one may sign in, or its certificate is not of its"+
			" host, has expired, or is of no authority that is trusted: check security in spec.mail, and name in caSecretRef a Secret whose ca.crt holds the one that signed it; the mail is sent again for a day")
	case configz.MailNotSignedIn:
		return conditions.False(condition, v1alpha1.ReasonMailNotSignedIn, "The mail server does not take the username and password: put the right ones into the Secret,"+
			" under \"username\" and \"password\", that secretRef in spec.mail names; the mail is sent again for a day")
	case configz.MailNoCredentials:
		return conditions.False(condition, v1alpha1.ReasonMailNoCredentials, "No mail can be handed in: the Secret that secretRef in spec.mail names lacks \"username\" or \"password\","+
			" or one of them is empty; put them in")
	}
	// What was missing is there now, and was not tried yet.
	if before.Type != "" && (!asked || before.Reason != v1alpha1.ReasonMailNoCredentials) {
		return before
	}
	return conditions.Unknown(condition, v1alpha1.ReasonNothingMailed, "No mail was handed in yet")
}
