package playbook

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.PlaybookStatus {
	playbook := seen.playbook
	return v1alpha1.PlaybookStatus{
		Conditions:         conditions.Merge(playbook.Status.Conditions, playbook.Generation, now, decided.findings...),
		ObservedGeneration: playbook.Generation,
		Rules:              decided.rules,
		FAQEntries:         decided.faqEntries,
	}
}
