package promise

// CaseKind says which promise a case is; the workflows of one kind have one type.
type CaseKind string

// The kinds of cases.
const (
	// CaseAfterSales is a return, an exchange, a refund or a reissue.
	CaseAfterSales CaseKind = "afterSales"
	// CaseComplaint climbs the ladder until somebody resolves it.
	CaseComplaint CaseKind = "complaint"
	// CasePromise is what an agent promised a customer.
	CasePromise CaseKind = "promise"
	// CaseOffHours is a message that came while nobody served, due after the next opening.
	CaseOffHours CaseKind = "offHours"
	// CaseCallBack asks a customer who was not content why.
	CaseCallBack CaseKind = "callBack"
	// CaseEmergency is a burst of complaints.
	CaseEmergency CaseKind = "emergency"
	// CaseOrder is a change of an order's address, or its cancellation.
	CaseOrder CaseKind = "order"
	// CaseShipping is an order that was paid and is to be sent.
	CaseShipping CaseKind = "shipping"
	// CaseReview is a conversation that somebody is to judge.
	CaseReview CaseKind = "review"
)

// CaseKinds are all kinds, in the order in which people are told of them.
func CaseKinds() []CaseKind {
	return []CaseKind{
		CaseAfterSales, CaseComplaint, CasePromise, CaseOffHours, CaseCallBack, CaseOrder, CaseShipping, CaseEmergency, CaseReview,
	}
}
