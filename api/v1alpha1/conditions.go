package v1alpha1

// Condition types. Every controller sets all types of its kind on every pass; Ready is derived from the others.
const (
	// ConditionReady says that the object does what it declares, proven by the running data plane.
	ConditionReady = "Ready"
	// ConditionReferencesResolved says whether every object and Secret that is referred to exists and may be used, whether what
	// only one object may have is the object's own, and whether what the operator makes has its names to itself and is accepted by
	// the API server.
	ConditionReferencesResolved = "ReferencesResolved"
	// ConditionAcknowledged says whether every ready replica of the data plane serves this generation of the object.
	ConditionAcknowledged = "Acknowledged"
	// ConditionProvisioned says whether the Brand's topics, database schema and Temporal namespace are in place.
	ConditionProvisioned = "Provisioned"
	// ConditionRouterAvailable says whether the Brand's router has a ready replica.
	ConditionRouterAvailable = "RouterAvailable"
	// ConditionWorkflowsAvailable says whether the Brand's workflow worker has a ready replica.
	ConditionWorkflowsAvailable = "WorkflowsAvailable"
	// ConditionDeskAvailable says whether the Brand's desk has a ready replica.
	ConditionDeskAvailable = "DeskAvailable"
	// ConditionConnectorAvailable says whether the Channel's connector pool has a ready replica.
	ConditionConnectorAvailable = "ConnectorAvailable"
	// ConditionCredentialsValid says whether the platform accepted the Channel's credentials.
	ConditionCredentialsValid = "CredentialsValid"
	// ConditionWebhookVerified says whether the platform has called the Channel's webhook; it never holds Ready back.
	ConditionWebhookVerified = "WebhookVerified"
	// ConditionMenuPublished says whether the official account shows the menu that the Channel declares; there is one of Channels
	// that declare one. It never holds Ready back.
	ConditionMenuPublished = "MenuPublished"
	// ConditionMenuAnswered says whether the Playbook has rules for all keys of the menu that the Channel declares; there is one of
	// Channels whose menu has keys. It never holds Ready back.
	ConditionMenuAnswered = "MenuAnswered"
	// ConditionPermissionGranted says whether the platform lets the Channel's account do what is asked of it. It holds Ready back
	// while the account may not send, and for nothing else.
	ConditionPermissionGranted = "PermissionGranted"
	// ConditionQuotaHealthy says whether the account may still make the calls that it makes, by the platform's daily quotas; it
	// never holds Ready back.
	ConditionQuotaHealthy = "QuotaHealthy"
	// ConditionDependenciesReachable says whether the Brand's replicas reach Kafka, Postgres and Temporal; it never holds Ready
	// back. It turns False once one of them has been out of reach for some 15 s, and does not wait for readiness: replicas that
	// lost Postgres are not ready, and say so all the same.
	ConditionDependenciesReachable = "DependenciesReachable"
	// ConditionTornDown says how far the removal of a Brand's data has come; there is one from the moment at which it begins, by
	// which the two minutes are counted that it has.
	ConditionTornDown = "TornDown"
	// ConditionExposed says whether the route from outside to the webhook or the desk is in place; it never holds Ready back.
	ConditionExposed = "Exposed"
	// ConditionValid says whether the object passes the checks that its schema cannot express.
	ConditionValid = "Valid"
	// ConditionRulesReachable says whether customers can get to all of the Playbook's rules and of its FAQ, or whether rules that
	// come before take what some of them are for; it never holds Ready back.
	ConditionRulesReachable = "RulesReachable"
	// ConditionFormReachable says whether the Brands that the Playbook is for have an address for the form to which it leads
	// customers; it never holds Ready back.
	ConditionFormReachable = "FormReachable"
	// ConditionCalendarStale says whether the HolidayCalendar lacks the year that it should know by now; it never holds Ready
	// back.
	ConditionCalendarStale = "CalendarStale"
	// ConditionSignedInOnce says whether the Agent has ever signed in; it never holds Ready back.
	ConditionSignedInOnce = "SignedInOnce"
	// ConditionStaffed says whether as many of the SkillGroup's agents are on duty as are wanted, and whether the schedule wants as
	// many as the forecast does in the coming day; it never holds Ready back.
	ConditionStaffed = "Staffed"
	// ConditionOnCallReached says whether the Brand's webhook took the last call for those on call for the SkillGroup. It stays as it was
	// when the call is over: whoever is on call has to be sure of the next one.
	ConditionOnCallReached = "OnCallReached"
	// ConditionMailReached says whether the Brand's mail server took the last mail, or that credentials are missing; there is one of Brands that
	// declare a server. What the server said stays until the next mail. It never holds Ready back.
	ConditionMailReached = "MailReached"
	// ConditionSkillsCovered says whether for all the skills that routing rules want of the SkillGroup it has an agent; it never
	// holds Ready back.
	ConditionSkillsCovered = "SkillsCovered"
	// ConditionQueueHealthy says whether the SkillGroup's queue is short enough and moves; it never holds Ready back.
	ConditionQueueHealthy = "QueueHealthy"
	// ConditionObjectivesMet says whether customers lately got what the ServiceLevel's objectives want; there is one of ServiceLevels
	// that declare some. It never holds Ready back.
	ConditionObjectivesMet = "ObjectivesMet"
)

// Condition reasons. They are part of the API: alerts and scripts match on them.
const (
	ReasonReady              = "Ready"
	ReasonResolved           = "Resolved"
	ReasonNotFound           = "NotFound"
	ReasonNotLabelled        = "NotLabelled"
	ReasonAddressNotAllowed  = "AddressNotAllowed"
	ReasonDuplicateAccount   = "DuplicateAccount"
	ReasonNameTaken          = "NameTaken"
	ReasonTokenNotMade       = "TokenNotMade"
	ReasonAcknowledged       = "Acknowledged"
	ReasonNotInUse           = "NotInUse"
	ReasonAwaitingReplicas   = "AwaitingReplicas"
	ReasonAwaitingReload     = "AwaitingReload"
	ReasonAwaitingReferences = "AwaitingReferences"
	ReasonProvisioned        = "Provisioned"
	ReasonProvisioning       = "Provisioning"
	ReasonProvisioningFailed = "ProvisioningFailed"
	ReasonAvailable          = "Available"
	ReasonNoReadyReplica     = "NoReadyReplica"
	ReasonBrandNotReady      = "BrandNotReady"
	ReasonAccepted           = "Accepted"
	ReasonRejected           = "Rejected"
	ReasonNotYetTried        = "NotYetTried"
	ReasonVerified           = "Verified"
	ReasonNotYetCalled       = "NotYetCalled"
	ReasonPublished          = "Published"
	ReasonNotPublished       = "NotPublished"
	ReasonOtherMenus         = "OtherMenus"
	ReasonAnswered           = "Answered"
	ReasonUnknownKeys        = "UnknownKeys"
	ReasonGranted            = "Granted"
	ReasonNotAuthorized      = "NotAuthorized"
	ReasonWithinQuota        = "WithinQuota"
	ReasonQuotaReached       = "QuotaReached"
	ReasonValid              = "Valid"
	ReasonInvalid            = "Invalid"
	ReasonReachable          = "Reachable"
	ReasonShadowed           = "Shadowed"
	ReasonNotUsed            = "NotUsed"
	ReasonNoFormsURL         = "NoFormsURL"
	ReasonYearMissing        = "YearMissing"
	ReasonUpToDate           = "UpToDate"
	ReasonKeptAsChanged      = "KeptAsChanged"
	ReasonSignedIn           = "SignedIn"
	ReasonNotYetSignedIn     = "NotYetSignedIn"
	ReasonStaffed            = "Staffed"
	ReasonUnderstaffed       = "Understaffed"
	ReasonNoSeatsWanted      = "NoSeatsWanted"
	ReasonCovered            = "Covered"
	ReasonSkillsMissing      = "SkillsMissing"
	ReasonSkillsIgnored      = "SkillsIgnored"
	ReasonOnCallCalled       = "OnCallCalled"
	ReasonNotCalled          = "NotCalled"
	ReasonWebhookDelivered   = "WebhookDelivered"
	ReasonWebhookRefused     = "WebhookRefused"
	ReasonWebhookUnreachable = "WebhookUnreachable"
	ReasonWebhookUntrusted   = "WebhookUntrusted"
	ReasonWebhookUnsigned    = "WebhookUnsigned"
	ReasonMailTaken          = "MailTaken"
	ReasonMailRefused        = "MailRefused"
	ReasonMailDeferred       = "MailDeferred"
	ReasonMailUnreachable    = "MailUnreachable"
	ReasonMailUntrusted      = "MailUntrusted"
	ReasonMailNotSignedIn    = "MailNotSignedIn"
	ReasonMailNoCredentials  = "MailNoCredentials"
	ReasonNothingMailed      = "NothingMailed"
	ReasonStaffingShortfall  = "StaffingShortfall"
	ReasonNotReported        = "NotReported"
	ReasonQueueShort         = "QueueShort"
	ReasonQueueLong          = "QueueLong"
	ReasonQueueSlow          = "QueueSlow"
	ReasonObjectivesMet      = "ObjectivesMet"
	ReasonObjectivesMissed   = "ObjectivesMissed"
	ReasonTooFewCustomers    = "TooFewCustomers"
	ReasonDeletionBlocked    = "DeletionBlocked"
	ReasonDraining           = "Draining"
	ReasonDrainIncomplete    = "DrainIncomplete"
	ReasonTearingDown        = "TearingDown"
	ReasonTeardownIncomplete = "TeardownIncomplete"
	ReasonReached            = "Reached"
	ReasonKafkaAway          = "KafkaAway"
	ReasonPostgresAway       = "PostgresAway"
	ReasonTemporalAway       = "TemporalAway"
	ReasonExposed            = "Exposed"
	ReasonGatewayAPIMissing  = "GatewayAPIMissing"
	ReasonNotAccepted        = "NotAccepted"
	ReasonAwaitingController = "AwaitingController"

	// Of two Brands in one Temporal namespace or database, the one that came to what the other works in.
	ReasonDuplicateTemporalNamespace = "DuplicateTemporalNamespace"
	ReasonDuplicateDatabase          = "DuplicateDatabase"
)
