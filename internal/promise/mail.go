package promise

import "strings"

// MailWorkflow is the type of the workflow that hands one e-mail about a case to the Brand's mail server, and tells people where it cannot.
const MailWorkflow = "Mail"

// MailID is the id of the workflow that writes to a case's customer what is told once under that name.
func MailID(caseID, name string) string {
	kind, rest, _ := strings.Cut(caseID, "/")
	return "mail/" + rest + "/" + kind + "/" + name
}

// MailInput starts MailWorkflow. The address is read from the case when the mail is sent, so that one which was erased is not written to.
type MailInput struct {
	// ID is MailID.
	ID   string `json:"id"`
	Case string `json:"case"`
	// Step names what is told, once a case.
	Step string `json:"step"`
	// SkillGroup hears of a mail that cannot be delivered.
	SkillGroup string `json:"skillGroup"`
	// Subject holds nothing of the customer, Text is all that the mail says. Words of it are what is left to be told if nobody takes it.
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Words   string `json:"words"`
}

// MailStatus is the result of MailWorkflow.
type MailStatus struct {
	// Taken says that the mail server has taken it, which is not that it was delivered.
	Taken bool `json:"taken"`
}
