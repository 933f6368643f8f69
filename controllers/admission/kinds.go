package admission

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/refs"
)

func playbook(p *v1alpha1.Playbook) field.ErrorList { return bot.Validate(p.Spec) }

func shadowed(p *v1alpha1.Playbook) []string { return bot.Shadowed(p.Spec) }

func shiftSchedule(s *v1alpha1.ShiftSchedule) field.ErrorList { return schedule.Validate(s.Spec) }

func holidayCalendar(c *v1alpha1.HolidayCalendar) field.ErrorList {
	return schedule.ValidateCalendar(c.Spec)
}

func serviceLevel(l *v1alpha1.ServiceLevel) field.ErrorList { return servicelevel.Validate(l.Spec) }

func skillGroup(g *v1alpha1.SkillGroup) field.ErrorList {
	_, wrong := routing.CompileAssignment(g.Spec.Assignment)
	wrong = append(wrong, queue.Validate(g.Spec)...)
	if _, err := routing.Members(g.Spec.AgentSelector, nil); err != nil {
		wrong = append(wrong, field.Invalid(field.NewPath("spec", "agentSelector"), field.OmitValueType{}, err.Error()))
	}
	return wrong
}

// others judges what depends on other objects and on the operator.
type others struct {
	reader   client.Reader
	settings dataplane.Settings
}

func (o *others) channel(ctx context.Context, before, channel *v1alpha1.Channel) (field.ErrorList, error) {
	var had v1alpha1.WeChatAccount
	if before != nil && before.Spec.WeChat() != nil {
		had = *before.Spec.WeChat()
	}
	has, path := channel.Spec.WeChat(), field.NewPath("spec", "miniProgram")
	if has == nil {
		return nil, nil
	}
	if channel.Spec.OfficialAccount != nil {
		path = field.NewPath("spec", "officialAccount")
	}
	var mistakes field.ErrorList
	if has.APIBaseURL != had.APIBaseURL {
		mistakes = forbid(mistakes, path.Child("apiBaseURL"), refs.CheckAddress(has.APIBaseURL, o.settings.AllowedAPIBaseURLs))
	}
	if has.AppID == had.AppID {
		return mistakes, nil
	}
	holders, err := refs.AccountHolders(ctx, o.reader, channel)
	// What is being deleted lets go soon, and who renames a Channel need not wait for it: the condition says until when it lasts.
	holders = slices.DeleteFunc(holders, func(c v1alpha1.Channel) bool { return c.DeletionTimestamp != nil })
	return forbid(mistakes, path.Child("appID"), refs.AccountTaken(channel, holders)), err
}

func (o *others) brand(ctx context.Context, before, brand *v1alpha1.Brand) (field.ErrorList, error) {
	rivals, err := refs.BrandRivals(ctx, o.reader, brand)
	var mistakes field.ErrorList
	mistakes = forbid(mistakes, field.NewPath("spec", "temporal"), taken(refs.TemporalTaken, before, brand, rivals))
	mistakes = forbid(mistakes, field.NewPath("spec", "postgres"), taken(refs.DatabaseTaken, before, brand, rivals))
	if before == nil || !equality.Semantic.DeepEqual(before.Spec.OnCall, brand.Spec.OnCall) {
		mistakes = forbid(mistakes, field.NewPath("spec", "onCall", "webhook", "url"), refs.CheckWebhook(brand, o.settings.AllowedWebhookHosts))
	}
	if before == nil || !equality.Semantic.DeepEqual(before.Spec.Provider, brand.Spec.Provider) {
		mistakes = forbid(mistakes, field.NewPath("spec", "provider", "url"), refs.CheckProvider(brand, o.settings.AllowedWebhookHosts))
	}
	if before == nil || !equality.Semantic.DeepEqual(before.Spec.Mail, brand.Spec.Mail) {
		mistakes = forbid(mistakes, field.NewPath("spec", "mail", "host"), refs.CheckMail(brand, o.settings.AllowedWebhookHosts))
	}
	return mistakes, err
}

// taken is the problem of a Brand with those rivals that it has not had before.
func taken(by func(*v1alpha1.Brand, []v1alpha1.Brand) *refs.Problem, before, brand *v1alpha1.Brand, rivals []v1alpha1.Brand) *refs.Problem {
	if before == nil {
		return by(brand, rivals)
	}
	var come []v1alpha1.Brand
	for i := range rivals {
		if by(before, rivals[i:i+1]) == nil {
			come = append(come, rivals[i])
		}
	}
	return by(brand, come)
}

func forbid(mistakes field.ErrorList, path *field.Path, problem *refs.Problem) field.ErrorList {
	if problem == nil {
		return mistakes
	}
	return append(mistakes, field.Forbidden(path, problem.Message))
}
