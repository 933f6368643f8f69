package desk

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/history"
)

// problemType is what the type of a problem begins with; a reason follows.
const problemType = "urn:yingda:problem:"

// notPossibleReasons are why a case does not allow an action now: answers with one of them are 409, and say what it does allow.
func notPossibleReasons() []string {
	return []string{
		"NotPossible", "CaseChanged", "WrongState", "UnderWay", "NotYours", "Ended", "NotPostponable",
		"AlreadyResolved", "AlreadyFollowedUp", "NotResolved", "NotDueYet",
		"OfferWaits", "NobodyDecides", "TooManyOffers", "NoCompensation", "KindNotOffered", "NoWorth", "AboveAllLimits",
	}
}

// reasons are all reasons of the desk's refusals. Its description lists them, and clients may branch on them.
func reasons() []string {
	all := slices.Concat(notPossibleReasons(), []string{
		// Who asks.
		"SignInFirst", "WrongToken", "TooManyFailures", "CrossOrigin", "SupervisorsOnly", "WrongSignature",
		// What there is not, or is not shown.
		"NoSuchPath", "NoSuchConversation", "NoSuchCase", "NoSuchFile", "NoSuchWeek", "NoSuchMessage", "NoSuchPicture", "NoSuchAgent", "NoSuchGroup",
		"NoSuchChannel", "NoSuchCustomer", "NoSuchTier", "NoSuchState", "OpenOnly", "NoComplaint", "NoJudgement", "NoPromise", "OtherCase",
		// Conversations.
		"Closed", "NotAssigned", "ChannelGone", "WindowClosed", "QuotaSpent", "KeyUsed", "TextTooLong", "BadContent", "NothingToReview", "NotOver",
		// Files.
		"NoPicture", "TooManyUnsent", "Busy", "NotFetchedYet", "FileLost",
		// Cases and what they need.
		"UnknownAction", "NoSuchAction", "NoteMissing", "NeedsNote", "NeedsOwner", "NeedsReasonCode", "BadDue", "TooMuchOwed", "OutsideGroup", "BadContinue",
		"TrackingMissing", "ReferenceMissing", "EvidenceMissing", "OwnerMissing", "InspectionIncomplete", "TooLong", "AmountTooHigh", "AmountMissing",
		"OrderMissing", "UnknownKind", "UnknownReason", "UnknownCurrency", "BadDelivery", "BadPayment", "BadEmail", "AboveLimit", "OwnOffer",
		"BadFreight", "FreightMissing", "FreightTooHigh", "FreightTwice", "Contradictory",
		// Orders.
		"NoProvider", "NoSuchOrder", "OtherOrder", "OtherCustomer", "ProviderFailed", "BadOrder", "BadAddress", "UnknownOperation", "MoneyGranted", "OrderCancelled",
		// Judgements.
		"OwnConversation", "OwnJudgement", "NotYourConversation", "NotYourReview", "NotScored", "AlreadyScored", "AlreadyAppealed", "AlreadyDecided",
		"NotAppealed", "TooLate",
		// Sockets, and what Temporal's page asks.
		"BadAfter", "NoRoom", "AdminsOnly", "DecodesOnly", "TooManyPayloads", "BadPayloads", "Undecipherable",
		// The desk itself.
		"BodyTooLarge", "ClientGone", "TryAgain",
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// describeReasons has the schema of a problem list what its type may be.
func describeReasons(api huma.API) {
	schema := api.OpenAPI().Components.Schemas.Map()["ErrorModel"]
	schema.Properties["type"] = typeSchema("Why, for programs; about:blank where the request is not what is described here.", append(reasons(), ""))
}

// describeActions has the schema of an event say what may have happened.
func describeActions(api huma.API) {
	schema := api.OpenAPI().Components.Schemas.Map()["CaseEvent"]
	schema.Properties["action"].Description = "What was done: an action of the case's kind, or what the product did, or noted, by itself: " +
		strings.Join(texts(history.Own()), ", ") + ". Missing where that is not known any more."
}

func typeSchema(doc string, of []string) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString, Description: doc}
	for _, reason := range of {
		if reason == "" {
			schema.Enum = append(schema.Enum, "about:blank")
			continue
		}
		schema.Enum = append(schema.Enum, problemType+reason)
	}
	return schema
}

// refusable adds to an operation the statuses that the door answers with before it is asked, and those of what is no proper request.
func refusable(operation *huma.Operation, input reflect.Type) {
	also := []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if operation.Method != http.MethodGet {
		also = append(also, http.StatusForbidden) // From another site.
	}
	if input.NumField() > 0 {
		also = append(also, http.StatusUnprocessableEntity)
	}
	if _, ok := input.FieldByName("Body"); ok {
		also = append(also, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	for _, status := range also {
		if _, described := operation.Responses[strconv.Itoa(status)]; !described && !slices.Contains(operation.Errors, status) {
			operation.Errors = append(operation.Errors, status)
		}
	}
	slices.Sort(operation.Errors)
}

// uuidText is a UUID in the API's description.
type uuidText struct{}

// Schema says that it is one.
func (uuidText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid"}
}

// describeUUIDs has all of them described.
func describeUUIDs(registry huma.Registry) {
	registry.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uuidText]())
}
