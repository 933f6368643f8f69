package controllers_test

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfNumbers(t *testing.T) { newAdmission(t).tries(numberAttempts(t)) }

// bounds are between what a number of an object may be.
type bounds struct {
	object      client.Object
	field       string
	least, most int64
}

// numberAttempts tries each number at its bounds and beyond them.
func numberAttempts(t *testing.T) map[string]attempt {
	t.Helper()
	tests := map[string]attempt{}
	for name, b := range numbers() {
		below, above := fmt.Sprint("should be greater than or equal to ", b.least), fmt.Sprint("should be less than or equal to ", b.most)
		for value, want := range map[int64]string{b.least - 1: below, b.least: "", b.most: "", b.most + 1: above} {
			tests[fmt.Sprint(name, " of ", value)] = attempt{with(t, b.object, b.field, value), want}
		}
	}
	return tests
}

func numbers() map[string]bounds {
	lumi, shop, group, level := brand("lumi"), channel("shop", "lumi"), skillGroup("after-sales", "lumi"), serviceLevel("standard")
	mailed, skilled, wanting, account := mailed(), skilled(1), wanting(1), officialAccount(func(*v1alpha1.OfficialAccountSpec) {})
	refunded := serviceLevel("standard")
	refunded.Spec.AfterSales.Policy.RefundSpeeds = []v1alpha1.TierRefundSpeed{{Speed: v1alpha1.RefundInstant}}
	refunded.Spec.AfterSales.Policy.Promotions = []v1alpha1.PromotionWindow{{From: "2026-11-11", Until: "2026-11-11", Speed: v1alpha1.RefundInstant}}
	refunded.Spec.Complaint.Compensation = &v1alpha1.CompensationSpec{Limits: []v1alpha1.CompensationLimit{{Role: v1alpha1.RoleAgent}}}
	answered := aiming(v1alpha1.ObjectivesSpec{AnsweredWithin: "2m", AnsweredPercent: new(int32(90))})
	promised := seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m"})
	weekly, dated := shift("24h", "2h"), override("2026-11-11", "2026-11-11")
	dated.Spec.Overrides[0].Shifts = []v1alpha1.Shift{shift("24h", "2h").Spec.Shifts[0].Shift}
	return map[string]bounds{
		"an Agent's capacity":                   {agent("xiaomei", "lumi", nil), "spec.capacity", 1, 100},
		"the level of a skill":                  {skilled, "spec.skills.0.level", 1, 5},
		"replicas of the desk":                  {lumi, "spec.desk.replicas", 1, 50},
		"replicas of the desk for peaks":        {lumi, "spec.desk.scaling.peakReplicas", 1, 100},
		"replicas of the desk at most":          {lumi, "spec.desk.scaling.maxReplicas", 1, 100},
		"replicas of the router":                {lumi, "spec.router.replicas", 1, 50},
		"replicas of the router for peaks":      {lumi, "spec.router.scaling.peakReplicas", 1, 100},
		"replicas of the router at most":        {lumi, "spec.router.scaling.maxReplicas", 1, 100},
		"partitions":                            {lumi, "spec.kafka.topics.partitions", 1, 256},
		"a replication factor":                  {lumi, "spec.kafka.topics.replicationFactor", 1, 5},
		"days for which Kafka keeps messages":   {lumi, "spec.kafka.topics.retentionDays", 1, 30},
		"a mail server's port":                  {mailed, "spec.mail.port", 1, 65535},
		"days between two keys":                 {lumi, "spec.privacy.keyRotationDays", 1, 3650},
		"days for which conversations are kept": {lumi, "spec.privacy.retentionDays", 30, 3650},
		"messages after each of a customer's":   {account, "spec.officialAccount.messagesPerContact", 1, 20},
		"the level of a skill that is wanted":   {wanting, "spec.routing.0.wants.0.minLevel", 1, 5},
		"replicas of a pool that always run":    {shop, "spec.scaling.minReplicas", 1, 100},
		"replicas of a pool for peaks":          {shop, "spec.scaling.peakReplicas", 1, 100},
		"replicas of a pool at most":            {shop, "spec.scaling.maxReplicas", 1, 100},
		"days to send goods back in":            {level, "spec.afterSales.policy.noReasonDays", 0, 90},
		"an amount below which goods stay":      {level, "spec.afterSales.policy.noReturnBelowFen", 0, 10_000_000},
		"the freight that is paid back":         {level, "spec.afterSales.policy.freightUpToFen", 0, 10_000_000},
		"an amount that a tier gets back":       {refunded, "spec.afterSales.policy.refundSpeeds.0.upToFen", 0, 10_000_000},
		"an amount of a promotion":              {refunded, "spec.afterSales.policy.promotions.0.upToFen", 0, 10_000_000},
		"working days until money is back":      {level, "spec.afterSales.refundAfterReceiptWorkingDays", 1, 30},
		"the worth of a compensation":           {refunded, "spec.complaint.compensation.limits.0.upTo", 0, 10_000_000},
		"days until a complaint's follow-up":    {level, "spec.complaint.followUpWithinDays", 1, 30},
		"complaints of an emergency":            {level, "spec.emergency.minComplaints", 2, 10_000},
		"times as many as usual":                {level, "spec.emergency.timesUsual", 2, 100},
		"an objective of answers":               {answered, "spec.objectives.answeredPercent", 1, 100},
		"an objective of solutions":             {answered, "spec.objectives.resolvedPercent", 1, 100},
		"an objective of the bot":               {answered, "spec.objectives.botContainmentPercent", 1, 100},
		"a sample":                              {level, "spec.quality.samplePercent", 0, 100},
		"seats of a shift":                      {weekly, "spec.shifts.0.seats", 0, 10_000},
		"seats of a peak":                       {weekly, "spec.shifts.0.peaks.0.seats", 0, 10_000},
		"seats of an override's shift":          {dated, "spec.overrides.0.shifts.0.seats", 0, 10_000},
		"seats of an override's peak":           {dated, "spec.overrides.0.shifts.0.peaks.0.seats", 0, 10_000},
		"what is added to a priority":           {prior(v1alpha1.PriorityMatch{Tiers: []string{"vip"}}), "spec.priorities.0.add", 1, 1000},
		"points for each minute":                {group, "spec.priorityAgeing", 0, 1000},
		"customers who alert":                   {group, "spec.queue.alertLength", 1, 10_000},
		"customers who fill a queue":            {group, "spec.queue.maxLength", 1, 100_000},
		"seats that are asked for":              {group, "spec.seats.asked", 0, 10_000},
		"seats at least":                        {group, "spec.seats.min", 0, 10_000},
		"seats at most":                         {group, "spec.seats.max", 1, 10_000},
		"customers who are answered in time":    {promised, "spec.seats.answeredPercent", 1, 99},
		"time for which agents are busy":        {promised, "spec.seats.maxOccupancyPercent", 10, 100},
		"agents of the roster who do not come":  {promised, "spec.seats.shrinkagePercent", 0, 90},
	}
}

// with is the object with a field set by its path, such as spec.skills.0.level: to anything, as YAML does, and also to the 0 that
// the object's own type would leave out.
func with(t *testing.T, object client.Object, path string, value any) client.Object {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object.DeepCopyObject())
	if err != nil {
		t.Fatal(err)
	}
	put(t, content, value, strings.Split(path, ".")...)
	changed := &unstructured.Unstructured{Object: content}
	changed.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind(reflect.TypeOf(object).Elem().Name()))
	return changed
}

// put sets what lies under the keys in a parent: names of fields, and places in lists.
func put(t *testing.T, parent, value any, keys ...string) {
	t.Helper()
	switch in := parent.(type) {
	case map[string]any:
		if len(keys) == 1 {
			in[keys[0]] = value
			return
		}
		if in[keys[0]] == nil {
			in[keys[0]] = map[string]any{}
		}
		put(t, in[keys[0]], value, keys[1:]...)
	case []any:
		place, err := strconv.Atoi(keys[0])
		if err != nil || place >= len(in) {
			t.Fatalf("%s is no place in a list of %d", keys[0], len(in))
		}
		put(t, in[place], value, keys[1:]...)
	default:
		t.Fatalf("nothing can be put into a %T", parent)
	}
}
