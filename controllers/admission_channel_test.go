package controllers_test

import (
	"strings"
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfChannels(t *testing.T) { newAdmission(t).tries(channelAttempts()) }

func channelAttempts() map[string]attempt {
	return map[string]attempt{
		"a mini-program":                            {channel("shop", "lumi"), ""},
		"a mini-program without its member":         {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram = nil }), "set spec.miniProgram exactly when"},
		"an official account without its member":    {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type, s.MiniProgram = v1alpha1.ChannelTypeOfficialAccount, nil }), "set spec.officialAccount exactly when"},
		"an official account by a mini-program":     {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type = v1alpha1.ChannelTypeOfficialAccount }), "set spec.miniProgram exactly when"},
		"a mini-program that is both":               {channelWith(func(s *v1alpha1.ChannelSpec) { s.OfficialAccount = accountSpec() }), "set spec.officialAccount exactly when"},
		"a type that does not exist":                {channelWith(func(s *v1alpha1.ChannelSpec) { s.Type = "Pigeon" }), "Unsupported value"},
		"an appID that is none":                     {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.AppID = "wx123" }), "appID is wx and 16 hexadecimal digits"},
		"another API address":                       {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "http://10.97.0.1:8090" }), ""},
		"an API address with a path":                {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "https://a.example/b" }), "write apiBaseURL as scheme and host"},
		"an API address without a scheme":           {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.APIBaseURL = "a.example" }), "write apiBaseURL as scheme and host"},
		"a message mode of WeChat's":                {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.MessageMode = v1alpha1.MessageModeCompatible }), ""},
		"a message mode that WeChat has not":        {channelWith(func(s *v1alpha1.ChannelSpec) { s.MiniProgram.MessageMode = "Open" }), "Unsupported value"},
		"a routing rule by keywords":                {routed(v1alpha1.RoutingMatch{Keywords: []string{"退款"}}), ""},
		"a routing rule by a declared entry point":  {routed(v1alpha1.RoutingMatch{EntryPoints: []string{"order"}}), ""},
		"a routing rule by an undeclared one":       {routed(v1alpha1.RoutingMatch{EntryPoints: []string{"home"}}), "routing rules may name only entry points"},
		"a routing rule that matches nothing":       {routed(v1alpha1.RoutingMatch{}), "set at least one of entryPoints, keywords, topics and afterSales"},
		"a routing rule by reasons of cases":        {routed(v1alpha1.RoutingMatch{AfterSales: []v1alpha1.AfterSalesReason{"Quality"}}), ""},
		"a routing rule by cases and words":         {routed(v1alpha1.RoutingMatch{AfterSales: []v1alpha1.AfterSalesReason{"Quality"}, Keywords: []string{"坏了"}}), "make two rules"},
		"a routing rule by a reason there is not":   {routed(v1alpha1.RoutingMatch{AfterSales: []v1alpha1.AfterSalesReason{"Mood"}}), "Unsupported value"},
		"skills wanted for cases":                   {skilledCases(), "leave them out of a rule for afterSales"},
		"a rule that wants the highest level":       {wanting(5), ""},
		"a rule that wants a higher level":          {wanting(6), "spec.routing[0].wants[0].minLevel"},
		"a Dedicated Channel":                       {dedicated(strings.Repeat("a", 46)), ""},
		"a Dedicated Channel with a long name":      {dedicated(strings.Repeat("a", 47)), "name a Dedicated Channel in lower-case letters, digits and hyphens, at most 50 characters together"},
		"a Dedicated account with the longest name": {dedicatedAccount(strings.Repeat("a", 42)), ""},
		"a Dedicated account with a longer name":    {dedicatedAccount(strings.Repeat("a", 43)), "or 46 where its type is OfficialAccount"},
		"a Shared account with a long name":         {officialAccountNamed(strings.Repeat("a", 43)), ""},
		"a Dedicated Channel with a dot":            {dedicated("shop.cn"), "name a Dedicated Channel in lower-case letters"},
		"a Shared Channel with a dot":               {channel("shop.cn", "lumi"), ""},
		"an isolation that does not exist":          {channelWith(func(s *v1alpha1.ChannelSpec) { s.Isolation = "Alone" }), "Unsupported value"},
		"an exposed Channel with a long name":       {channel(strings.Repeat("a", 246), "lumi", func(c *v1alpha1.Channel) { c.Spec.Exposure = throughGateway("hooks.lumi.example") }), "name an exposed Channel with at most 245 characters"},
		"replicas for peaks and load":               {scaled(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(10)), LeadTime: "10m"}), ""},
		"as many for peaks as always run":           {scaled(3, v1alpha1.PeakScaling{PeakReplicas: new(int32(3)), MaxReplicas: new(int32(3))}), ""},
		"fewer for peaks than always run":           {scaled(4, v1alpha1.PeakScaling{PeakReplicas: new(int32(3))}), "peakReplicas must be at least minReplicas"},
		"fewer at most than always run":             {scaled(4, v1alpha1.PeakScaling{MaxReplicas: new(int32(3))}), "maxReplicas must be at least minReplicas and peakReplicas"},
		"fewer at most than for peaks":              {scaled(1, v1alpha1.PeakScaling{PeakReplicas: new(int32(4)), MaxReplicas: new(int32(3))}), "maxReplicas must be at least minReplicas and peakReplicas"},
		"the longest lead":                          {scaled(1, v1alpha1.PeakScaling{LeadTime: "6h"}), ""},
		"a longer lead":                             {scaled(1, v1alpha1.PeakScaling{LeadTime: "6h1s"}), "leadTime must be at most 6h"},
		"a lead without a unit":                     {scaled(1, v1alpha1.PeakScaling{LeadTime: "10"}), "write leadTime in hours, minutes and seconds, for example 10m"},
	}
}

func dedicated(name string) *v1alpha1.Channel {
	return channel(name, "lumi", func(c *v1alpha1.Channel) { c.Spec.Isolation = v1alpha1.IsolationDedicated })
}

func dedicatedAccount(name string) *v1alpha1.Channel {
	c := officialAccountNamed(name)
	c.Spec.Isolation = v1alpha1.IsolationDedicated
	return c
}

func channelWith(edit func(*v1alpha1.ChannelSpec)) *v1alpha1.Channel {
	return channel("shop", "lumi", func(c *v1alpha1.Channel) { edit(&c.Spec) })
}

func skilledCases() *v1alpha1.Channel {
	c := routed(v1alpha1.RoutingMatch{AfterSales: []v1alpha1.AfterSalesReason{"Quality"}})
	c.Spec.Routing[0].Wants = []v1alpha1.WantedSkill{{Skill: "refund"}}
	return c
}

func routed(match v1alpha1.RoutingMatch) *v1alpha1.Channel {
	return channelWith(func(s *v1alpha1.ChannelSpec) {
		s.EntryPoints = []v1alpha1.EntryPoint{{Name: "order", SessionFromPrefix: "order:"}}
		s.Routing = []v1alpha1.RoutingRule{{Name: "rule", When: match, SkillGroupRef: v1alpha1.SkillGroupReference{Name: "after-sales"}}}
	})
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
