package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
)

// admission is a namespace without an operator, in which objects are only tried.
type admission struct {
	t         *testing.T
	client    client.Client
	namespace string
}

func newAdmission(t *testing.T) *admission {
	t.Helper()
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(apiServer, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &admission{t: t, client: c, namespace: metav1.NamespaceDefault}
}

// check compares the server's answer with the wanted message; empty means that the object is accepted.
func (a *admission) check(err error, want string) {
	a.t.Helper()
	switch {
	case want == "" && err != nil:
		a.t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		a.t.Errorf("accepted, want a refusal with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		a.t.Errorf("refused with %v, want %q", err, want)
	}
}

func TestAdmissionOfNewObjects(t *testing.T) {
	a := newAdmission(t)
	for name, tt := range map[string]struct {
		object client.Object
		want   string
	}{
		"a Brand with a good name":                 {brand("lumi-2"), ""},
		"a Brand whose name starts with a digit":   {brand("2lumi"), "name a Brand with at most 40"},
		"a Brand whose name has a dot":             {brand("lu.mi"), "name a Brand with at most 40"},
		"a Brand with the longest name":            {brand(strings.Repeat("a", 40)), ""},
		"a Brand with a longer name":               {brand(strings.Repeat("a", 41)), "name a Brand with at most 40"},
		"a broker with a port":                     {brokers("a:1", "b.c:65535"), ""},
		"a broker without a port":                  {brokers("kafka.infra"), "write each bootstrap server as host:port"},
		"Temporal with a port":                     {temporal("temporal.infra:7233"), ""},
		"Temporal without a port":                  {temporal("temporal.infra"), "write the Temporal address as host:port"},
		"another Secret for connectors":            {connectorSecret("lumi-connector"), ""},
		"the owner's Secret for connectors":        {connectorSecret("lumi-postgres"), "connectorSecretRef must name another Secret than secretRef"},
		"no name of a Secret for connectors":       {connectorSecret(""), "spec.postgres.connectorSecretRef.name"},
		"a mini-program":                           {channel("shop", "lumi"), ""},
		"a mini-program without its member":        {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram = nil }), "set spec.miniProgram exactly when"},
		"an official account":                      {officialAccount(func(*v1alpha1.OfficialAccountSpec) {}), ""},
		"an official account without its member":   {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type, s.MiniProgram = v1alpha1.ChannelTypeOfficialAccount, nil }), "set spec.officialAccount exactly when"},
		"an official account by a mini-program":    {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type = v1alpha1.ChannelTypeOfficialAccount }), "set spec.miniProgram exactly when"},
		"a mini-program that is both":              {channelWith(func(s *v1alpha1.ChannelSpec) { s.OfficialAccount = accountSpec() }), "set spec.officialAccount exactly when"},
		"an official account's appID that is none": {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.AppID = "gh_0123456789ab" }), "appID is wx and 16 hexadecimal digits"},
		"an account of before":                     {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.MessagesPerContact = 20 }), ""},
		"an account with more messages than any":   {officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.MessagesPerContact = 21 }), "should be less than or equal to 20"},
		"a menu with everything": {menu(
			v1alpha1.MenuButton{Name: "今日", MenuAction: tapped("today")}, v1alpha1.MenuButton{Name: "商城", MenuAction: shopPage()},
			v1alpha1.MenuButton{Name: "服务", Items: []v1alpha1.MenuItem{{Name: "官网", MenuAction: opened("https://lumi.example/?a=b")}, {Name: "会员", MenuAction: shopPage()}, {Name: "人工", MenuAction: tapped("human")}}},
		), ""},
		"a menu without buttons":                    {menu(), "spec.officialAccount.menu.buttons"},
		"a menu of four buttons":                    {menu(buttons(4)...), "must have at most 3 items"},
		"a button that does nothing":                {menu(v1alpha1.MenuButton{Name: "空"}), "set exactly one of key, url, miniProgram and items"},
		"a button that does two things":             {menu(v1alpha1.MenuButton{Name: "多", MenuAction: v1alpha1.MenuAction{Key: "a", URL: "https://lumi.example"}}), "set exactly one of key, url, miniProgram and items"},
		"a button that does and opens":              {menu(v1alpha1.MenuButton{Name: "多", MenuAction: tapped("a"), Items: items(1)}), "set exactly one of key, url, miniProgram and items"},
		"a button with five items":                  {menu(v1alpha1.MenuButton{Name: "多", Items: items(5)}), ""},
		"a button with six items":                   {menu(v1alpha1.MenuButton{Name: "多", Items: items(6)}), "must have at most 5 items"},
		"an item that does nothing":                 {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: "空"}}}), "set exactly one of key, url and miniProgram"},
		"a button's longest name":                   {menu(v1alpha1.MenuButton{Name: "一二三四五6", MenuAction: tapped("a")}), ""},
		"a button's name of six characters":         {menu(v1alpha1.MenuButton{Name: "一二三四五六", MenuAction: tapped("a")}), "name a button of the menu's first level with at most 16 bytes"},
		"an item's longest name":                    {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: strings.Repeat("一", 20), MenuAction: tapped("a")}}}), ""},
		"an item's name that is longer":             {menu(v1alpha1.MenuButton{Name: "多", Items: []v1alpha1.MenuItem{{Name: strings.Repeat("一", 21), MenuAction: tapped("a")}}}), "name an item of the menu with at most 60 bytes"},
		"a menu key of 128 bytes":                   {menu(v1alpha1.MenuButton{Name: "键", MenuAction: tapped(strings.Repeat("k", 128))}), ""},
		"a menu key of more bytes":                  {menu(v1alpha1.MenuButton{Name: "键", MenuAction: tapped(strings.Repeat("键", 43))}), "write a menu key of at most 128 bytes"},
		"a menu that opens no address":              {menu(v1alpha1.MenuButton{Name: "网", MenuAction: opened("lumi.example")}), "write url as an address with http:// or https://"},
		"a menu that opens too long an address":     {menu(v1alpha1.MenuButton{Name: "网", MenuAction: opened("https://lumi.example/" + strings.Repeat("页", 400))}), "at most 1024 bytes"},
		"a mini-program in the menu that is none":   {menu(v1alpha1.MenuButton{Name: "小", MenuAction: v1alpha1.MenuAction{MiniProgram: &v1alpha1.MenuMiniProgram{AppID: "shop", PagePath: "a", URL: "https://a.b"}}}), "appID is wx and 16 hexadecimal digits"},
		"one button twice":                          {menu(append(buttons(1), buttons(1)...)...), "Duplicate value"},
		"notices":                                   {notices(func(n *v1alpha1.NoticeTemplate) { n.URL = "https://lumi.example/cases" }), ""},
		"notices that open a mini-program":          {notices(func(n *v1alpha1.NoticeTemplate) { n.MiniProgram = casePage() }), ""},
		"notices that open two pages":               {notices(func(n *v1alpha1.NoticeTemplate) { n.URL, n.MiniProgram = "https://lumi.example", casePage() }), "set url or miniProgram, not both"},
		"notices that open no address":              {notices(func(n *v1alpha1.NoticeTemplate) { n.URL = "lumi.example" }), "write url as an address with http:// or https://"},
		"notices that open what is no mini-program": {notices(func(n *v1alpha1.NoticeTemplate) { n.MiniProgram = &v1alpha1.NoticePage{AppID: "shop", PagePath: "a"} }), "appID is wx and 16 hexadecimal digits"},
		"notices of a name in Chinese":              {notices(func(n *v1alpha1.NoticeTemplate) { n.Name = "售后" }), "name notices by a small letter, then letters and digits"},
		"a template with a blank":                   {notices(func(n *v1alpha1.NoticeTemplate) { n.TemplateID = "TM 1" }), "copy templateID from the console"},
		"a key as it stands in the template":        {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].Key = "character_string12" }), ""},
		"a key with its end":                        {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].Key = "thing1.DATA" }), "write the key as it stands in the template, without .DATA"},
		"a value that notices do not tell":          {notices(func(n *v1alpha1.NoticeTemplate) { n.Values[0].From = "price" }), "Unsupported value"},
		"a template without values":                 {notices(func(n *v1alpha1.NoticeTemplate) { n.Values = nil }), "spec.officialAccount.notices[0].values"},
		"one place twice":                           {notices(func(n *v1alpha1.NoticeTemplate) { n.Values = append(n.Values, n.Values[0]) }), "Duplicate value"},
		"a rule by menu keys alone":                 {matching(v1alpha1.PlaybookMatch{MenuKeys: []string{"INVOICE"}}), ""},
		"a rule by menu keys and words":             {matching(v1alpha1.PlaybookMatch{MenuKeys: []string{"INVOICE"}, Keywords: []string{"发票"}}), ""},
		"a rule by nothing":                         {matching(v1alpha1.PlaybookMatch{}), "set keywords, menuKeys or both"},
		"a type that does not exist":                {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type = "Pigeon" }), "Unsupported value"},
		"an appID that is none":                     {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.AppID = "wx123" }), "appID is wx and 16 hexadecimal digits"},
		"another API address":                       {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "http://10.97.0.1:8090" }), ""},
		"an API address with a path":                {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "https://a.example/b" }), "write apiBaseURL as scheme and host"},
		"an API address without a scheme":           {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "a.example" }), "write apiBaseURL as scheme and host"},
		"a routing rule by keywords":                {routed(v1alpha1.RoutingMatch{Keywords: []string{"退款"}}), ""},
		"a routing rule by a declared entry point":  {routed(v1alpha1.RoutingMatch{EntryPoints: []string{"order"}}), ""},
		"a routing rule by an undeclared one":       {routed(v1alpha1.RoutingMatch{EntryPoints: []string{"home"}}), "routing rules may name only entry points"},
		"a routing rule that matches nothing":       {routed(v1alpha1.RoutingMatch{}), "set at least one of entryPoints, keywords and topics"},
		"a rule that replies":                       {ruled(&v1alpha1.BotReply{Text: "好"}, nil), ""},
		"a rule that hands off":                     {ruled(nil, &v1alpha1.RuleHandOff{Topic: "complaint"}), ""},
		"a rule that does both":                     {ruled(&v1alpha1.BotReply{Text: "好"}, &v1alpha1.RuleHandOff{Topic: "complaint"}), "set exactly one of reply and handOff"},
		"a rule that does neither":                  {ruled(nil, nil), "set exactly one of reply and handOff"},
		"a link by https":                           {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "开发票", URL: "https://lumi.example"}}, nil), ""},
		"a link by http":                            {ruled(&v1alpha1.BotReply{Text: "好", Link: &v1alpha1.BotLink{Title: "开发票", URL: "http://lumi.example"}}, nil), "url must start with https://"},
		"a question with its answer":                {answering("return-policy", "after-sales"), ""},
		"a question without a topic":                {answering("return-policy", ""), ""},
		"a question of a complaint":                 {answering("return-policy", "complaint"), "a complaint belongs to a human at once: write a rule with handOff instead"},
		"a question with a topic in Chinese":        {answering("return-policy", "售后"), "write topic in lower-case letters, digits and hyphens, for example after-sales"},
		"a question without a name":                 {answering("", ""), "spec.faq[0].name"},
		"an intake":                                 {taking(v1alpha1.IntakeOrderNumber, v1alpha1.IntakeProblemType), ""},
		"an intake of nothing":                      {taking(), "spec.intake.fields"},
		"an intake of what there is not":            {taking("ShoeSize"), "Unsupported value"},
		"an intake of the same twice":               {taking(v1alpha1.IntakeContact, v1alpha1.IntakeContact), "Duplicate value"},
		"a survey":                                  {surveying(v1alpha1.SurveySpec{}), ""},
		"a survey with a reminder":                  {surveying(v1alpha1.SurveySpec{Scale: v1alpha1.SurveyThreeLevels, RemindAfter: "47h"}), ""},
		"a scale that there is not":                 {surveying(v1alpha1.SurveySpec{Scale: "Smileys"}), "Unsupported value"},
		"a reminder without a unit":                 {surveying(v1alpha1.SurveySpec{RemindAfter: "24"}), "write remindAfter in hours, minutes and seconds, for example 24h"},
		"a reminder at once":                        {surveying(v1alpha1.SurveySpec{RemindAfter: "9m"}), "remindAfter must be at least 10m and at most 47h"},
		"a reminder after the window":               {surveying(v1alpha1.SurveySpec{RemindAfter: "48h"}), "remindAfter must be at least 10m and at most 47h"},
		"a ladder that climbs":                      {ladder("59m", "1h"), ""},
		"a ladder that stands still":                {ladder("60m", "1h"), "each rung's after must be longer"},
		"the shortest and the longest rung":         {ladder("1s", "720h"), ""},
		"a rung at once":                            {ladder("0s"), "after must be at least 1s"},
		"a rung after a month":                      {ladder("721h"), "after must be at least 1s and at most 720h"},
		"an answer within a minute":                 {offHours("1m"), ""},
		"an answer within seconds":                  {offHours("59s"), "answerWithin must be at least 1m"},
		"an emergency of two, calm for a minute":    {emergency(v1alpha1.EmergencySpec{Detection: "Disabled", MinComplaints: 2, TimesUsual: 2, CalmFor: "1m"}), ""},
		"an emergency of ten thousand":              {emergency(v1alpha1.EmergencySpec{MinComplaints: 10000, TimesUsual: 100, CalmFor: "24h"}), ""},
		"an emergency of one":                       {emergency(v1alpha1.EmergencySpec{MinComplaints: 1}), "minComplaints"},
		"an emergency of what is usual":             {emergency(v1alpha1.EmergencySpec{TimesUsual: 1}), "timesUsual"},
		"an emergency that is over at once":         {emergency(v1alpha1.EmergencySpec{CalmFor: "59s"}), "calmFor must be at least 1m and at most 24h"},
		"an emergency that is perhaps looked for":   {emergency(v1alpha1.EmergencySpec{Detection: "Maybe"}), "Unsupported value"},
		"an emergency whose calm has no unit":       {emergency(v1alpha1.EmergencySpec{CalmFor: "30"}), "write calmFor in hours, minutes and seconds, for example 30m"},
		"an answer after a day":                     {offHours("25h"), "answerWithin must be at least 1m and at most 24h"},
		"a reply with everything":                   {reply("1s", "1s", "24h"), ""},
		"a reply of no length":                      {reply("0s", "", ""), "target must be at least 1s and at most 24h"},
		"a reply after a day":                       {reply("", "", "25h"), "reviewAfter must be at least 1s and at most 24h"},
		"a reminder after a day":                    {reply("", "25h", ""), "warnAfter must be at least 1s and at most 24h"},
		"a reply without a unit":                    {reply("15", "", ""), "write target in hours, minutes and seconds, for example 15s"},
		"a warning without a unit":                  {reply("", "20", ""), "write warnAfter in hours, minutes and seconds, for example 20s"},
		"a review without a unit":                   {reply("", "", "5"), "write reviewAfter in hours, minutes and seconds, for example 5m"},
		"a reminder before the target":              {reply("", "14s", ""), "target must not be longer than warnAfter"},
		"a review before the reminder":              {reply("", "", "19s"), "warnAfter must not be longer than reviewAfter"},
		"quality with defaults":                     {judging(v1alpha1.QualitySpec{}), ""},
		"quality without a sample":                  {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(0))}), ""},
		"quality with everything":                   {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(100)), ReviewResponsesOver: "24h", DueWithin: "720h"}), ""},
		"a sample of more than all":                 {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(101))}), "samplePercent"},
		"a sample of less than none":                {judging(v1alpha1.QualitySpec{SamplePercent: new(int32(-1))}), "samplePercent"},
		"a wait of no length":                       {judging(v1alpha1.QualitySpec{ReviewResponsesOver: "0s"}), "reviewResponsesOver must be at least 1s"},
		"a wait without a unit":                     {judging(v1alpha1.QualitySpec{ReviewResponsesOver: "5"}), "write reviewResponsesOver in hours, minutes and seconds, for example 5m"},
		"a judgement within seconds":                {judging(v1alpha1.QualitySpec{DueWithin: "59s"}), "dueWithin must be at least 1m and at most 720h"},
		"a judgement without a unit":                {judging(v1alpha1.QualitySpec{DueWithin: "2 days"}), "write dueWithin in hours, minutes and seconds, for example 48h"},
		"a first response with everything":          {firstResponse("24h", "24h"), ""},
		"a first response of no length":             {firstResponse("0s", ""), "target must be at least 1s and at most 24h"},
		"a first response without a unit":           {firstResponse("1", ""), "write target in hours, minutes and seconds, for example 1m"},
		"a first response after a day":              {firstResponse("", "25h"), "limit must be at least 1s and at most 24h"},
		"a limit without a unit":                    {firstResponse("", "3"), "write limit in hours, minutes and seconds, for example 3m"},
		"a limit before the target":                 {firstResponse("", "59s"), "target must not be longer than limit"},
		"a resolution with everything": {resolution(v1alpha1.ResolutionSpec{
			Common: "1m", General: "1m", Complex: "24h", Topics: []v1alpha1.TopicClass{{Name: "order", Class: v1alpha1.ResolutionCommon}},
		}), ""},
		"a resolution of no length":   {resolution(v1alpha1.ResolutionSpec{Common: "0s"}), "common must be at least 1s and at most 24h"},
		"a resolution without a unit": {resolution(v1alpha1.ResolutionSpec{General: "15"}), "write general in hours, minutes and seconds, for example 15m"},
		"a resolution after a day":    {resolution(v1alpha1.ResolutionSpec{Complex: "25h"}), "complex must be at least 1s and at most 24h"},
		"common after general":        {resolution(v1alpha1.ResolutionSpec{Common: "16m"}), "common must not be longer than general"},
		"general after complex":       {resolution(v1alpha1.ResolutionSpec{General: "31m"}), "general must not be longer than complex"},
		"a class that does not exist": {resolution(v1alpha1.ResolutionSpec{Topics: []v1alpha1.TopicClass{{Name: "order", Class: "Easy"}}}), "Unsupported value"},
		"a topic twice": {resolution(v1alpha1.ResolutionSpec{Topics: []v1alpha1.TopicClass{
			{Name: "order", Class: v1alpha1.ResolutionCommon}, {Name: "order", Class: v1alpha1.ResolutionComplex},
		}}), "Duplicate value"},
		"a priority of a topic":                    {prior(v1alpha1.PriorityMatch{Topics: []string{"complaint"}}), ""},
		"a priority of a tier":                     {prior(v1alpha1.PriorityMatch{Tiers: []string{"vip", "gold-2"}}), ""},
		"a priority of nothing":                    {prior(v1alpha1.PriorityMatch{}), "set at least one of topics and tiers"},
		"a priority of a tier in Chinese":          {prior(v1alpha1.PriorityMatch{Tiers: []string{"贵宾"}}), "write tiers in lower-case letters, digits and hyphens"},
		"a shift around the clock":                 {shift("24h", ""), ""},
		"a shift of no length":                     {shift("0s", ""), "duration must be over 0 and at most 24h"},
		"a shift of more than a day":               {shift("24h1s", ""), "duration must be over 0 and at most 24h"},
		"a peak inside":                            {shift("12h", "2h"), ""},
		"a peak of no length":                      {shift("12h", "0h"), "duration must be over 0 and at most 24h"},
		"an override of one day":                   {override("2026-11-11", "2026-11-11"), ""},
		"an override that ends before it starts":   {override("2026-11-12", "2026-11-11"), "from must not be after to"},
		"an Agent with the longest name":           {agent(strings.Repeat("a", 63), "lumi", nil), ""},
		"an Agent on call":                         {agentOnCall(v1alpha1.OnCallWhenShort), ""},
		"an Agent who is called at other times":    {agentOnCall("Weekends"), "Unsupported value"},
		"an Agent with a longer name":              {agent(strings.Repeat("a", 64), "lumi", nil), "name an Agent with at most 63 characters"},
		"a prefix with dots":                       {prefixed("cs.yingda-1"), ""},
		"a prefix in capitals":                     {prefixed("Yingda"), "write prefix in lower-case letters"},
		"a Temporal namespace":                     {brand("lumi", inNamespace), ""},
		"a Temporal namespace with a space":        {brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = "lumi prod" }), "write the Temporal namespace in letters"},
		"a topic in Chinese":                       {ruled(nil, &v1alpha1.RuleHandOff{Topic: "投诉"}), "write topic in lower-case letters"},
		"a code of letters and digits":             {canned("fp1"), ""},
		"a code with a space":                      {canned("fp 1"), "write code in letters and digits"},
		"a rung without a unit":                    {ladder("60"), "write after in hours, minutes and seconds, for example 1h"},
		"a rung beyond all clocks":                 {ladder("9999999999h"), "write after in hours, minutes and seconds"},
		"a month in seconds":                       {ladder("2592000s"), ""},
		"an assignment with everything":            {assigned(v1alpha1.SkillGroupAssignment{Strategy: v1alpha1.StrategySkilled, StickyFor: "24h", RelaxSkillsAfter: "1m", ReassignAfter: "5m"}), ""},
		"a strategy that does not exist":           {assigned(v1alpha1.SkillGroupAssignment{Strategy: "Cheapest"}), "Unsupported value"},
		"the longest stickyFor":                    {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "720h"}), ""},
		"a stickyFor without a unit":               {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "24"}), "write stickyFor in hours, minutes and seconds, for example 24h"},
		"a stickyFor of a year":                    {assigned(v1alpha1.SkillGroupAssignment{StickyFor: "999h"}), "stickyFor must be at least 1m and at most 720h"},
		"the shortest relaxSkillsAfter":            {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "1s"}), ""},
		"a relaxSkillsAfter without a unit":        {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "soon"}), "write relaxSkillsAfter in hours, minutes and seconds, for example 1m"},
		"a relaxSkillsAfter of no length":          {assigned(v1alpha1.SkillGroupAssignment{RelaxSkillsAfter: "0s"}), "relaxSkillsAfter must be at least 1s and at most 24h"},
		"the shortest reassignAfter":               {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "10s"}), ""},
		"a reassignAfter without a unit":           {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "5"}), "write reassignAfter in hours, minutes and seconds, for example 5m"},
		"a reassignAfter that nobody keeps":        {assigned(v1alpha1.SkillGroupAssignment{ReassignAfter: "9s"}), "reassignAfter must be at least 10s and at most 24h"},
		"a skill of the highest level":             {skilled(5), ""},
		"a skill of a higher level":                {skilled(6), "spec.skills[0].level"},
		"a rule that wants the highest level":      {wanting(5), ""},
		"a rule that wants a higher level":         {wanting(6), "spec.routing[0].wants[0].minLevel"},
		"an answer without a unit":                 {offHours("soon"), "write answerWithin in hours, minutes and seconds, for example 1h"},
		"a shift of some length":                   {shift("1d", ""), "write duration in hours, minutes and seconds, for example 12h"},
		"a shift beyond all clocks":                {shift("999999999999h", ""), "write duration in hours"},
		"a peak of some length":                    {shift("12h", "2"), "write duration in hours, minutes and seconds, for example 2h"},
		"a shift that starts late":                 {starting("23:59"), ""},
		"a shift that starts at no hour":           {starting("24:00"), "write start as HH:MM from 00:00 to 23:59, for example 09:00"},
		"a shift that starts at 9":                 {starting("9:00"), "write start as HH:MM"},
		"a rotation from its anchor":               {rotation("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "2026-01-05"), ""},
		"a rotation without an anchor":             {rotation("FREQ=DAILY", ""), "set rrule and anchorDate together: the rule counts from that date"},
		"a rotation on days":                       {rotation("FREQ=DAILY", "2026-01-05", v1alpha1.Monday), "set either days, for a shift of every week, or rrule with anchorDate, for a rotation"},
		"a shift on no days":                       {rotation("", ""), "set either days, for a shift of every week, or rrule with anchorDate, for a rotation"},
		"a rotation in words":                      {rotation("every other week", "2026-01-05"), "write rrule as NAME=VALUE parts of FREQ, INTERVAL, BYDAY, BYMONTHDAY, UNTIL and COUNT"},
		"a rotation by the hour of a day":          {rotation("FREQ=DAILY;BYHOUR=9", "2026-01-05"), "write rrule as NAME=VALUE parts"},
		"a rotation from no date":                  {rotation("FREQ=DAILY", "2026-13-01"), "write anchorDate as YYYY-MM-DD, for example 2026-01-05"},
		"an override from no date":                 {override("2026-13-01", "2026-12-31"), "write from as YYYY-MM-DD, for example 2026-02-16"},
		"an override to no date":                   {override("2026-11-11", "2026/11/12"), "write to as YYYY-MM-DD, for example 2026-02-22"},
		"TLS by the system's authorities":          {kafkaSecured(&v1alpha1.KafkaTLS{}, ""), ""},
		"TLS by authorities and a certificate":     {kafkaSecured(&v1alpha1.KafkaTLS{CASecretRef: credentials("ca"), ClientSecretRef: credentials("ca")}, ""), ""},
		"no name of the Secret of authorities":     {kafkaSecured(&v1alpha1.KafkaTLS{CASecretRef: credentials("")}, ""), "spec.kafka.tls.caSecretRef.name"},
		"no name of the Secret of a certificate":   {kafkaSecured(&v1alpha1.KafkaTLS{ClientSecretRef: credentials("")}, ""), "spec.kafka.tls.clientSecretRef.name"},
		"PLAIN by TLS":                             {kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain), ""},
		"PLAIN without TLS":                        {kafkaSecured(nil, v1alpha1.KafkaSASLPlain), "PLAIN would send the password in plain text: set spec.kafka.tls"},
		"SCRAM-SHA-256 without TLS":                {kafkaSecured(nil, v1alpha1.KafkaSASLScramSHA256), ""},
		"SCRAM-SHA-512 by TLS":                     {kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLScramSHA512), ""},
		"a mechanism that does not exist":          {kafkaSecured(nil, "GSSAPI"), "Unsupported value"},
		"Temporal by TLS":                          {temporalSecured(v1alpha1.TemporalTLS{}), ""},
		"Temporal by TLS and a certificate":        {temporalSecured(v1alpha1.TemporalTLS{SecretRef: credentials("temporal")}), ""},
		"keys that a key of the Brand's wraps":     {encryptedBy("lumi-key"), ""},
		"privacy that says nothing":                {kept(nil), ""},
		"conversations kept for a year":            {kept(new(int32(365))), ""},
		"conversations kept for a week":            {kept(new(int32(7))), "should be greater than or equal to 30"},
		"no name of the Secret of a key":           {encryptedBy(""), "spec.privacy.encryptionKeySecretRef.name"},
		"no name of the Secret of Temporal":        {temporalSecured(v1alpha1.TemporalTLS{SecretRef: credentials("")}), "spec.temporal.tls.secretRef.name"},
		"Temporal by another name":                 {temporalSecured(v1alpha1.TemporalTLS{ServerName: "frontend.temporal"}), ""},
		"Temporal by a name with a port":           {temporalSecured(v1alpha1.TemporalTLS{ServerName: "frontend.temporal:7233"}), "write serverName as a host name without a port"},
		"a webhook":                                {paged("https://pager.example/yingda"), ""},
		"a webhook at a port, and nothing else":    {paged("https://Pager.infra:8443"), ""},
		"a webhook of a private authority":         {brand("lumi", pagedAt("https://pager.infra", "lumi-pager"), trusting("pager-ca")), ""},
		"no name of the Secret of its authorities": {brand("lumi", pagedAt("https://pager.infra", "lumi-pager"), trusting("")), "spec.onCall.webhook.caSecretRef.name"},
		"a webhook in plain text":                  {paged("http://pager.example/yingda"), "write url as https://host/path"},
		"a webhook with a user":                    {paged("https://user:word@pager.example/"), "write url as https://host/path"},
		"a webhook with a query":                   {paged("https://pager.example/send?key=1"), "write url as https://host/path"},
		"a webhook with a fragment":                {paged("https://pager.example/send#key"), "write url as https://host/path"},
		"a webhook without a host":                 {paged("https:///yingda"), "write url as https://host/path"},
		"no name of the Secret of a webhook":       {brand("lumi", pagedAt("https://pager.example/", "")), "spec.onCall.webhook.secretRef.name"},
		"forms at a host":                          {formsAt("https://service.lumi.example"), ""},
		"forms at a port":                          {formsAt("https://service.lumi.example:8443/"), ""},
		"forms in plain text":                      {formsAt("http://service.lumi.example"), "write formsURL as https://host"},
		"forms below a path":                       {formsAt("https://lumi.example/service"), "write formsURL as https://host"},
		"a Dedicated Channel":                      {dedicated(strings.Repeat("a", 46)), ""},
		"a Dedicated Channel with a long name":     {dedicated(strings.Repeat("a", 47)), "name a Dedicated Channel in lower-case letters, digits and hyphens, at most 50 characters together"},
		"a Dedicated Channel with a dot":           {dedicated("shop.cn"), "name a Dedicated Channel in lower-case letters"},
		"a Shared Channel with a dot":              {channel("shop.cn", "lumi"), ""},
		"an isolation that does not exist":         {channelWith(func(s *v1alpha1.ChannelSpec) { s.Isolation = "Alone" }), "Unsupported value"},
		"an exposure by a Gateway":                 {exposed(*throughGateway("hooks.lumi.example")), ""},
		"an exposure by an Ingress":                {exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: "nginx", TLSSecretName: "tls"}), ""},
		"an exposure by neither":                   {exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example"}), "set parentRefs for a Gateway, or ingressClassName for an Ingress"},
		"an exposure by both": {
			exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: "nginx", ParentRefs: []v1alpha1.GatewayReference{{Name: "public"}}}),
			"set parentRefs for a Gateway, or ingressClassName for an Ingress",
		},
		"a certificate for a Gateway": {
			exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", TLSSecretName: "tls", ParentRefs: []v1alpha1.GatewayReference{{Name: "public"}}}),
			"tlsSecretName is for an Ingress",
		},
		"an Ingress class in capitals":               {exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: "Nginx"}), "write ingressClassName as kubectl get ingressclasses shows it"},
		"a certificate in capitals":                  {exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", IngressClassName: "nginx", TLSSecretName: "TLS"}), "write tlsSecretName as the name of a Secret"},
		"a Gateway in capitals":                      {through(v1alpha1.GatewayReference{Name: "Public"}), "write name as kubectl get gateways shows it"},
		"a Gateway's namespace with a dot":           {through(v1alpha1.GatewayReference{Name: "public", Namespace: "in.fra"}), "write namespace as the name of a namespace"},
		"a listener in capitals":                     {through(v1alpha1.GatewayReference{Name: "public", SectionName: "HTTPS"}), "write sectionName as the Gateway names its listener"},
		"two listeners of a Gateway":                 {through(v1alpha1.GatewayReference{Name: "public", SectionName: "a"}, v1alpha1.GatewayReference{Name: "public", SectionName: "b"}), ""},
		"one Gateway twice":                          {through(v1alpha1.GatewayReference{Name: "public"}, v1alpha1.GatewayReference{Name: "public"}), "name each Gateway, or each listener of it, once"},
		"an exposed Channel with a long name":        {channel(strings.Repeat("a", 246), "lumi", func(c *v1alpha1.Channel) { c.Spec.Exposure = throughGateway("hooks.lumi.example") }), "name an exposed Channel with at most 245 characters"},
		"a host with a scheme":                       {exposed(*throughGateway("https://hooks.lumi.example")), "write host as a DNS name in lower case"},
		"a host in capitals":                         {exposed(*throughGateway("Hooks.lumi.example")), "write host as a DNS name in lower case"},
		"replicas for peaks and load":                {scaled(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(10)), LeadTime: "10m"}), ""},
		"as many for peaks as always run":            {scaled(3, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(3))}), ""},
		"fewer for peaks than always run":            {scaled(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "peakReplicas must be at least minReplicas"},
		"fewer at most than always run":              {scaled(4, v1alpha1.PeakScaling{MaxReplicas: new(int32(3))}), "maxReplicas must be at least minReplicas and peakReplicas"},
		"fewer at most than for peaks":               {scaled(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(4)), MaxReplicas: new(int32(3))}), "maxReplicas must be at least minReplicas and peakReplicas"},
		"the longest lead":                           {scaled(1, v1alpha1.PeakScaling{LeadTime: "6h"}), ""},
		"a longer lead":                              {scaled(1, v1alpha1.PeakScaling{LeadTime: "6h1s"}), "leadTime must be at most 6h"},
		"a lead without a unit":                      {scaled(1, v1alpha1.PeakScaling{LeadTime: "10"}), "write leadTime in hours, minutes and seconds, for example 10m"},
		"a router for peaks and load":                {scaledRouter(2, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(10))}), ""},
		"a router with fewer for peaks":              {scaledRouter(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "scaling.peakReplicas must be at least replicas"},
		"a router with fewer at most":                {scaledRouter(4, v1alpha1.PeakScaling{MaxReplicas: new(int32(3))}), "scaling.maxReplicas must be at least replicas and scaling.peakReplicas"},
		"a desk for peaks and load":                  {scaledDesk(2, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(3))}), ""},
		"a desk with fewer for peaks":                {scaledDesk(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "scaling.peakReplicas must be at least replicas"},
		"a desk with fewer at most than for peaks":   {scaledDesk(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(4)), MaxReplicas: new(int32(3))}), "scaling.maxReplicas must be at least replicas and scaling.peakReplicas"},
		"a deletion policy that does not exist":      {brand("lumi", func(b *v1alpha1.Brand) { b.Spec.DeletionPolicy = "Maybe" }), "Unsupported value"},
		"a Brand that leaves nothing behind":         {brand("lumi", removable), ""},
		"a calendar without days":                    {calendar("china"), ""},
		"a day off":                                  {dated("2026-10-01", v1alpha1.CalendarDayOff, ""), ""},
		"a day off by the word that YAML takes":      {dated("2026-10-01", "Off", ""), "Unsupported value"},
		"a make-up workday":                          {dated("2026-10-10", v1alpha1.CalendarDayWorkday, ""), ""},
		"a make-up workday that follows":             {dated("2026-10-10", v1alpha1.CalendarDayWorkday, v1alpha1.Wednesday), ""},
		"a make-up workday that follows no weekday":  {dated("2026-10-10", v1alpha1.CalendarDayWorkday, "Monday"), "Unsupported value"},
		"a day off that follows":                     {dated("2026-10-01", v1alpha1.CalendarDayOff, v1alpha1.Monday), "set follows only where kind is Workday"},
		"a sales peak that follows":                  {dated("2026-11-11", v1alpha1.CalendarDayPeak, v1alpha1.Monday), "set follows only where kind is Workday"},
		"a sales peak":                               {dated("2026-11-11", v1alpha1.CalendarDayPeak, ""), ""},
		"a day of a month that does not exist":       {dated("2026-13-01", v1alpha1.CalendarDayOff, ""), "write date as YYYY-MM-DD, for example 2026-10-01"},
		"a day written with slashes":                 {dated("2026/10/1", v1alpha1.CalendarDayOff, ""), "write date as YYYY-MM-DD"},
		"a day twice":                                {calendar("china", day("2026-10-01", v1alpha1.CalendarDayOff), day("2026-10-01", v1alpha1.CalendarDayPeak)), "Duplicate value"},
		"a calendar of five years, every day":        {calendar("china", days(2000)...), ""},
		"a calendar of more":                         {calendar("china", days(2001)...), "must have at most 2000 items"},
		"a schedule by a calendar":                   {naming(alwaysOpen("online"), "china"), ""},
		"a schedule by one calendar twice":           {naming(alwaysOpen("online"), "china", "china"), "Duplicate value"},
		"a schedule by a calendar without name":      {naming(alwaysOpen("online"), ""), "spec.calendarRefs[0].name"},
		"a schedule by eight calendars":              {naming(alwaysOpen("online"), "a", "b", "c", "d", "e", "f", "g", "h"), ""},
		"a schedule by nine":                         {naming(alwaysOpen("online"), "a", "b", "c", "d", "e", "f", "g", "h", "i"), "must have at most 8 items"},
		"holidays like Sundays":                      {holidays(v1alpha1.HolidayLikeSunday), ""},
		"holidays as usual":                          {holidays(v1alpha1.HolidayAsUsual), ""},
		"holidays of another kind":                   {holidays("Open"), "Unsupported value"},
		"a group whose agents are chosen by a label": {skillGroup("after-sales", "lumi"), ""},
		"as many seats at least as at most":          {seated(v1alpha1.SkillGroupSeats{Min: new(int32(3)), Max: new(int32(3))}), ""},
		"more seats at least than at most":           {seated(v1alpha1.SkillGroupSeats{Min: new(int32(4)), Max: new(int32(3))}), "max must not be less than min"},
		"seats at most, and none at least":           {seated(v1alpha1.SkillGroupSeats{Max: new(int32(1))}), ""},
		"seats at least, and no limit":               {seated(v1alpha1.SkillGroupSeats{Min: new(int32(10_000))}), ""},
		"no seats at most":                           {seated(v1alpha1.SkillGroupSeats{Max: new(int32(0))}), "should be greater than or equal to 1"},
		"fewer than no seats":                        {seated(v1alpha1.SkillGroupSeats{Min: new(int32(-1))}), "should be greater than or equal to 0"},
		"more asked for than at most":                {seated(v1alpha1.SkillGroupSeats{Asked: new(int32(5)), Max: new(int32(3))}), ""},
		"a queue that overflows after a wait":        {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("3m", "pre-sales")}), ""},
		"a queue that overflows when it is full":     {queued(v1alpha1.SkillGroupQueue{MaxLength: new(int32(20)), Overflow: overflow("", "pre-sales")}), ""},
		"a queue that overflows into itself":         {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("3m", "after-sales")}), "name another SkillGroup than the one that overflows"},
		"an overflow after no time that there is":    {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("soon", "pre-sales")}), "write after in hours, minutes and seconds"},
		"the shortest wait":                          {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("10s", "pre-sales")}), ""},
		"too short a wait":                           {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("9s", "pre-sales")}), "after must be at least 10s and at most 24h"},
		"too long a wait":                            {queued(v1alpha1.SkillGroupQueue{Overflow: overflow("25h", "pre-sales")}), "after must be at least 10s and at most 24h"},
		"an alert at nobody":                         {queued(v1alpha1.SkillGroupQueue{AlertLength: new(int32(0))}), "should be greater than or equal to 1"},
		"a queue without room":                       {queued(v1alpha1.SkillGroupQueue{MaxLength: new(int32(0))}), "should be greater than or equal to 1"},
		"no ageing":                                  {aged(0), ""},
		"ageing beyond its bound":                    {aged(1001), "should be less than or equal to 1000"},
		"more asked for than any group has":          {seated(v1alpha1.SkillGroupSeats{Asked: new(int32(10_001))}), "should be less than or equal to 10000"},
		"customers are answered within two minutes":  {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m"}), ""},
		"a promise with all that it may say": {seated(v1alpha1.SkillGroupSeats{
			AnsweredWithin: "1m30s", AnsweredPercent: new(int32(99)), MaxOccupancyPercent: new(int32(100)), ShrinkagePercent: new(int32(0)),
		}), ""},
		"a promise in days":                  {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "1d"}), "write answeredWithin in hours, minutes and seconds, for example 2m"},
		"an answer before the question":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "0s"}), "answeredWithin must be at least 1s and at most 24h"},
		"an answer the day after":            {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "25h"}), "answeredWithin must be at least 1s and at most 24h"},
		"a percentage without a promise":     {seated(v1alpha1.SkillGroupSeats{AnsweredPercent: new(int32(90))}), "set answeredWithin as well"},
		"an occupancy without a promise":     {seated(v1alpha1.SkillGroupSeats{MaxOccupancyPercent: new(int32(85))}), "set answeredWithin as well"},
		"a shrinkage without a promise":      {seated(v1alpha1.SkillGroupSeats{ShrinkagePercent: new(int32(30))}), "set answeredWithin as well"},
		"everybody is answered in time":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", AnsweredPercent: new(int32(100))}), "should be less than or equal to 99"},
		"nobody is answered in time":         {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", AnsweredPercent: new(int32(0))}), "should be greater than or equal to 1"},
		"agents who are hardly ever busy":    {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", MaxOccupancyPercent: new(int32(9))}), "should be greater than or equal to 10"},
		"agents who are more than busy":      {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", MaxOccupancyPercent: new(int32(101))}), "should be less than or equal to 100"},
		"a roster of whom hardly any come":   {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", ShrinkagePercent: new(int32(91))}), "should be less than or equal to 90"},
		"a roster of whom more come than be": {seated(v1alpha1.SkillGroupSeats{AnsweredWithin: "2m", ShrinkagePercent: new(int32(-1))}), "should be greater than or equal to 0"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{t: t, client: a.client, namespace: a.namespace}
			tt.object.SetNamespace(a.namespace)
			a.check(a.client.Create(t.Context(), tt.object, client.DryRunAll), tt.want)
		})
	}
}

func TestAdmissionOfChanges(t *testing.T) {
	a := newAdmission(t)
	for name, tt := range map[string]struct {
		before client.Object
		edit   func(client.Object)
		want   string
	}{
		"another Brand of a Channel": {
			channel("a", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another name of a Channel": {
			channel("b", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.DisplayName = "露米" }, "",
		},
		"another isolation": {
			channel("t", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.Isolation = v1alpha1.IsolationDedicated }, "isolation is immutable",
		},
		"another exposure": {
			channel("u", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.Exposure = throughGateway("hooks.lumi.example") }, "",
		},
		"another deletion policy": {
			brand("v"), func(o client.Object) { removable(spec[v1alpha1.Brand](o)) }, "",
		},
		"another appID": {
			channel("c", "lumi"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.MiniProgram.AppID = uniqueAppID() }, "appID is immutable",
		},
		"another appID of an official account": {
			officialAccountNamed("w"), func(o client.Object) { spec[v1alpha1.Channel](o).Spec.OfficialAccount.AppID = uniqueAppID() }, "appID is immutable",
		},
		"an official account of a mini-program": {
			channel("x", "lumi"), func(o client.Object) {
				of := &spec[v1alpha1.Channel](o).Spec
				of.Type, of.MiniProgram, of.OfficialAccount = v1alpha1.ChannelTypeOfficialAccount, nil, accountSpec()
			}, "type is immutable",
		},
		"another menu": {
			officialAccountNamed("y"), func(o client.Object) {
				spec[v1alpha1.Channel](o).Spec.OfficialAccount.Menu = &v1alpha1.Menu{Buttons: buttons(3)}
			}, "",
		},
		"another Brand of a SkillGroup": {
			skillGroup("d", "lumi"), func(o client.Object) { spec[v1alpha1.SkillGroup](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another name of a SkillGroup": {
			skillGroup("e", "lumi"), func(o client.Object) { spec[v1alpha1.SkillGroup](o).Spec.DisplayName = "售后组" }, "",
		},
		"another Brand of an Agent": {
			agent("f", "lumi", nil), func(o client.Object) { spec[v1alpha1.Agent](o).Spec.BrandRef.Name = "other" }, "brandRef is immutable",
		},
		"another capacity of an Agent": {
			agent("g", "lumi", nil), func(o client.Object) { spec[v1alpha1.Agent](o).Spec.Capacity = 8 }, "",
		},
		"another prefix of topics": {
			brand("h"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.Prefix = "other" }, "prefix is immutable",
		},
		"another number of partitions": {
			brand("i"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.Partitions = 24 }, "partitions is immutable",
		},
		"another replication factor": {
			brand("q"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.ReplicationFactor = 1 }, "replicationFactor is immutable: it holds when topics are made; to change the replicas of these, reassign their partitions",
		},
		"another retention": {
			brand("j"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.Topics.RetentionDays = 14 }, "",
		},
		"a Temporal namespace where there was none": {
			brand("k"), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "lumi" }, "the Temporal namespace is immutable",
		},
		"another Temporal namespace": {
			brand("l", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "other" }, "the Temporal namespace is immutable",
		},
		"no Temporal namespace any more": {
			brand("m", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Namespace = "" }, "the Temporal namespace is immutable",
		},
		"a login of their own for connectors": {
			brand("o"), func(o client.Object) { ownLogin("lumi-connector")(spec[v1alpha1.Brand](o)) }, "",
		},
		"the owner's login for connectors again": {
			brand("p", ownLogin("lumi-connector")), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Postgres.ConnectorSecretRef = nil }, "",
		},
		"TLS and a user where there was neither": {
			brand("r"), func(o client.Object) {
				spec[v1alpha1.Brand](o).Spec.Kafka = kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain).Spec.Kafka
			}, "",
		},
		"no TLS any more under PLAIN": {
			named("s", kafkaSecured(&v1alpha1.KafkaTLS{}, v1alpha1.KafkaSASLPlain)),
			func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Kafka.TLS = nil }, "PLAIN would send the password in plain text",
		},
		"another Temporal address": {
			brand("n", inNamespace), func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Temporal.Address = "temporal.other:7233" }, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &admission{t: t, client: a.client, namespace: a.namespace}
			tt.before.SetNamespace(a.namespace)
			if err := a.client.Create(t.Context(), tt.before); err != nil {
				t.Fatal(err)
			}
			tt.edit(tt.before)
			a.check(a.client.Update(t.Context(), tt.before, client.DryRunAll), tt.want)
			if err := a.client.Delete(t.Context(), tt.before); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// spec is the object as the type that the test knows it to be.
func spec[T any](obj client.Object) *T {
	typed, _ := any(obj).(*T)
	return typed
}

func dedicated(name string) *v1alpha1.Channel {
	return channel(name, "lumi", func(c *v1alpha1.Channel) { c.Spec.Isolation = v1alpha1.IsolationDedicated })
}

func through(gateways ...v1alpha1.GatewayReference) *v1alpha1.Channel {
	return exposed(v1alpha1.ExposureSpec{Host: "hooks.lumi.example", ParentRefs: gateways})
}

func exposed(exposure v1alpha1.ExposureSpec) *v1alpha1.Channel {
	return channelWith(func(s *v1alpha1.ChannelSpec) { s.Exposure = &exposure })
}

func named(name string, b *v1alpha1.Brand) *v1alpha1.Brand {
	b.Name = name
	return b
}

func inNamespace(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = "lumi" }

func brokers(addresses ...string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Kafka.BootstrapServers = addresses })
}

func temporal(address string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.Address = address })
}

func credentials(name string) *v1alpha1.CredentialsReference {
	return &v1alpha1.CredentialsReference{Name: name}
}

// kafkaSecured is a Brand with TLS and, where there is a mechanism, a user.
func kafkaSecured(tls *v1alpha1.KafkaTLS, mechanism v1alpha1.KafkaSASLMechanism) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Kafka.TLS = tls
		if mechanism != "" {
			b.Spec.Kafka.SASL = &v1alpha1.KafkaSASL{Mechanism: mechanism, SecretRef: *credentials("kafka-user")}
		}
	})
}

func temporalSecured(tls v1alpha1.TemporalTLS) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Temporal.TLS = &tls })
}

// encryptedBy is a Brand whose own keys are wrapped by the key in a Secret.
func encryptedBy(name string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) {
		b.Spec.Privacy = &v1alpha1.PrivacySpec{EncryptionKeySecretRef: credentials(name)}
	})
}

// kept is a Brand that keeps conversations for so many days.
func kept(days *int32) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Privacy = &v1alpha1.PrivacySpec{RetentionDays: days} })
}

func connectorSecret(name string) *v1alpha1.Brand { return brand("lumi", ownLogin(name)) }

func channelWith(edit func(*v1alpha1.ChannelSpec)) *v1alpha1.Channel {
	return channel("shop", "lumi", func(c *v1alpha1.Channel) { edit(&c.Spec) })
}

func accountSpec() *v1alpha1.OfficialAccountSpec {
	return &v1alpha1.OfficialAccountSpec{WeChatAccount: v1alpha1.WeChatAccount{
		AppID: uniqueAppID(), CredentialsSecretRef: v1alpha1.CredentialsReference{Name: "service-wechat"},
	}}
}

func officialAccount(edit func(*v1alpha1.OfficialAccountSpec)) *v1alpha1.Channel {
	return channelWith(func(s *v1alpha1.ChannelSpec) {
		s.Type, s.MiniProgram, s.OfficialAccount = v1alpha1.ChannelTypeOfficialAccount, nil, accountSpec()
		edit(s.OfficialAccount)
	})
}

func officialAccountNamed(name string) *v1alpha1.Channel {
	c := officialAccount(func(*v1alpha1.OfficialAccountSpec) {})
	c.Name = name
	return c
}

func menu(buttons ...v1alpha1.MenuButton) *v1alpha1.Channel {
	return officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.Menu = &v1alpha1.Menu{Buttons: buttons} })
}

func buttons(n int) []v1alpha1.MenuButton {
	var all []v1alpha1.MenuButton
	for i := range n {
		all = append(all, v1alpha1.MenuButton{Name: fmt.Sprint("按钮", i), MenuAction: tapped("a")})
	}
	return all
}

func items(n int) []v1alpha1.MenuItem {
	var all []v1alpha1.MenuItem
	for i := range n {
		all = append(all, v1alpha1.MenuItem{Name: fmt.Sprint("选项", i), MenuAction: tapped("a")})
	}
	return all
}

func tapped(key string) v1alpha1.MenuAction { return v1alpha1.MenuAction{Key: key} }

func opened(url string) v1alpha1.MenuAction { return v1alpha1.MenuAction{URL: url} }

func shopPage() v1alpha1.MenuAction {
	return v1alpha1.MenuAction{MiniProgram: &v1alpha1.MenuMiniProgram{
		AppID: "wx0123456789abcdef", PagePath: "pages/shop/index?from=menu", URL: "https://lumi.example/shop",
	}}
}

func notices(edit func(*v1alpha1.NoticeTemplate)) *v1alpha1.Channel {
	template := v1alpha1.NoticeTemplate{Name: "afterSales", TemplateID: "TM-1_a", Values: []v1alpha1.NoticeValue{{Key: "thing1", From: v1alpha1.NoticeState}}}
	edit(&template)
	return officialAccount(func(s *v1alpha1.OfficialAccountSpec) { s.Notices = []v1alpha1.NoticeTemplate{template} })
}

func casePage() *v1alpha1.NoticePage {
	return &v1alpha1.NoticePage{AppID: "wx0123456789abcdef", PagePath: "pages/case/list"}
}

func matching(match v1alpha1.PlaybookMatch) *v1alpha1.Playbook {
	p := ruled(&v1alpha1.BotReply{Text: "好"}, nil)
	p.Spec.Rules[0].Match = match
	return p
}

func routed(match v1alpha1.RoutingMatch) *v1alpha1.Channel {
	return channelWith(func(s *v1alpha1.ChannelSpec) {
		s.EntryPoints = []v1alpha1.EntryPoint{{Name: "order", SessionFromPrefix: "order:"}}
		s.Routing = []v1alpha1.RoutingRule{{Name: "rule", When: match, SkillGroupRef: v1alpha1.SkillGroupReference{Name: "after-sales"}}}
	})
}

func ruled(reply *v1alpha1.BotReply, handOff *v1alpha1.RuleHandOff) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Rules = []v1alpha1.PlaybookRule{{Name: "rule", Match: v1alpha1.PlaybookMatch{Keywords: []string{"发票"}}, Reply: reply, HandOff: handOff}}
	return p
}

func answering(name, topic string) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.FAQ = []v1alpha1.FAQEntry{{Name: name, Question: "怎么退货", Answer: "签收七天内……", Topic: topic}}
	return p
}

func taking(fields ...v1alpha1.IntakeField) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Intake = &v1alpha1.IntakeSpec{Fields: append([]v1alpha1.IntakeField{}, fields...)}
	return p
}

func surveying(survey v1alpha1.SurveySpec) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.Survey = &survey
	return p
}

func ladder(after ...string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	for _, a := range after {
		level.Spec.Complaint.Ladder = append(level.Spec.Complaint.Ladder, v1alpha1.EscalationRung{After: a, Notify: v1alpha1.RoleSupervisor})
	}
	return level
}

func offHours(within string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.OffHours.AnswerWithin = within
	return level
}

func emergency(spec v1alpha1.EmergencySpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Emergency = spec
	return level
}

func judging(quality v1alpha1.QualitySpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Quality = &quality
	return level
}

func reply(target, warnAfter, reviewAfter string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Reply = v1alpha1.ReplySpec{Target: target, WarnAfter: warnAfter, ReviewAfter: reviewAfter}
	return level
}

func resolution(spec v1alpha1.ResolutionSpec) *v1alpha1.ServiceLevel {
	level := firstResponse("", "")
	level.Spec.Resolution = spec
	return level
}

func firstResponse(target, limit string) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.FirstResponse = v1alpha1.FirstResponseSpec{Target: target, Limit: limit}
	return level
}

func prior(when v1alpha1.PriorityMatch) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Priorities = []v1alpha1.PriorityRule{{Name: "rule", When: when, Add: 100}}
	return group
}

func shift(duration, peak string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Shifts[0].Duration = duration
	if peak != "" {
		schedule.Spec.Shifts[0].Peaks = []v1alpha1.Peak{{Name: "noon", Start: "12:00", Duration: peak, Seats: 3}}
	}
	return schedule
}

func starting(start string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Shifts[0].Start = start
	return schedule
}

func rotation(rule, anchor string, days ...v1alpha1.Weekday) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	first := &schedule.Spec.Shifts[0]
	first.Days, first.RRule, first.AnchorDate = days, rule, anchor
	return schedule
}

func prefixed(prefix string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Kafka.Topics.Prefix = prefix })
}

func canned(code string) *v1alpha1.Playbook {
	p := playbook("shop")
	p.Spec.CannedReplies = []v1alpha1.CannedReply{{Code: code, Text: "好"}}
	return p
}

func formsAt(url string) *v1alpha1.Brand {
	return brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Desk.FormsURL = url })
}

func paged(url string) *v1alpha1.Brand { return brand("lumi", pagedAt(url, "lumi-pager")) }

// pagedAt has the Brand's webhook called when those on call are.
func pagedAt(url, secretName string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.OnCall = &v1alpha1.BrandOnCall{Webhook: v1alpha1.OnCallWebhook{URL: url, SecretRef: &v1alpha1.CredentialsReference{Name: secretName}}}
	}
}

// trusting has the webhook's certificate be of authorities in a Secret.
func trusting(secretName string) func(*v1alpha1.Brand) {
	return func(b *v1alpha1.Brand) {
		b.Spec.OnCall.Webhook.CASecretRef = &v1alpha1.CredentialsReference{Name: secretName}
	}
}

func agentOnCall(when v1alpha1.OnCall) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.OnCall = when
	return a
}

func seated(seats v1alpha1.SkillGroupSeats) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Seats = seats
	return group
}

func assigned(assignment v1alpha1.SkillGroupAssignment) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Assignment = assignment
	return group
}

func skilled(level int32) *v1alpha1.Agent {
	a := agent("xiaomei", "lumi", nil)
	a.Spec.Skills = []v1alpha1.AgentSkill{{Name: "refund", Level: level}}
	return a
}

func wanting(level int32) *v1alpha1.Channel {
	return channel("shop", "lumi", wants("refund", level))
}

// wants adds a rule to a Channel that wants a skill of after-sales.
func wants(skill string, level int32) func(*v1alpha1.Channel) {
	return func(c *v1alpha1.Channel) {
		c.Spec.Routing = append(c.Spec.Routing, v1alpha1.RoutingRule{
			Name: "refund-words", When: v1alpha1.RoutingMatch{Keywords: []string{"退款"}}, SkillGroupRef: v1alpha1.SkillGroupReference{Name: "after-sales"},
			Wants: []v1alpha1.WantedSkill{{Skill: skill, MinLevel: level}},
		})
	}
}

func queued(queue v1alpha1.SkillGroupQueue) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.Queue = queue
	return group
}

func overflow(after, to string) *v1alpha1.QueueOverflow {
	return &v1alpha1.QueueOverflow{After: after, ToRef: v1alpha1.SkillGroupReference{Name: to}}
}

func aged(points int32) *v1alpha1.SkillGroup {
	group := skillGroup("after-sales", "lumi")
	group.Spec.PriorityAgeing = &points
	return group
}

func override(from, to string) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.Overrides = []v1alpha1.ScheduleOverride{{Name: "closed", From: from, To: to}}
	return schedule
}

func dated(date string, kind v1alpha1.CalendarDayKind, follows v1alpha1.Weekday) *v1alpha1.HolidayCalendar {
	one := day(date, kind)
	one.Follows = follows
	return calendar("china", one)
}

// days are that many days off, one after the other, of long names.
func days(n int) []v1alpha1.CalendarDay {
	all := make([]v1alpha1.CalendarDay, 0, n)
	for i := range n {
		one := day(time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), v1alpha1.CalendarDayOff)
		one.Name = strings.Repeat("节", 63)
		all = append(all, one)
	}
	return all
}

func holidays(policy v1alpha1.HolidayPolicy) *v1alpha1.ShiftSchedule {
	schedule := alwaysOpen("online")
	schedule.Spec.OnHoliday = policy
	return schedule
}
