package controllers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestATrialTokenIsMadeOnceAndAgainWhenItsSecretGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(brand("lumi"), agent("xiaomei", "lumi", nil))
	first := w.token("xiaomei")
	w.settled()
	if second := w.token("xiaomei"); second != first {
		t.Error("the token changed by itself")
	}
	w.remove(&corev1.Secret{}, "xiaomei-trial-token")
	w.eventually(func() error {
		if w.token("xiaomei") == first {
			return errors.New("the old token is still in force")
		}
		return nil
	})
}

// token waits until the status speaks of the token that the Secret holds, and returns it.
func (w *world) token(name string) string {
	w.t.Helper()
	var token string
	w.eventually(func() error {
		s, a := &corev1.Secret{}, &v1alpha1.Agent{}
		if err := errors.Join(w.get(name+"-trial-token", s), w.get(name, a)); err != nil {
			return err
		}
		token = string(s.Data["token"])
		sum := sha256.Sum256([]byte(token))
		if a.Status.TrialToken == nil || a.Status.TrialToken.SHA256 != hex.EncodeToString(sum[:]) || a.Status.TrialToken.SecretName != s.Name {
			return fmt.Errorf("status is %+v", a.Status.TrialToken)
		}
		return nil
	})
	return token
}

func TestAnAgentWhoseTokenCannotBeMadeIsNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lift := w.forbid(corev1.ResourceSecrets, unlabelledSecret("probe"))
	w.create(agent("xiaomei", "lumi", nil))
	found := w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReady, v1alpha1.ReasonTokenNotMade)
	if want := "ReferencesResolved: Secret xiaomei-trial-token with the trial token cannot be made: the API server says Forbidden"; found.Message != want {
		t.Errorf("message is %q, want %q", found.Message, want)
	}
	lift()
	w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

// forbid has the API server refuse new objects of a resource, of which probe is one, until they are allowed again.
func (w *world) forbid(resources corev1.ResourceName, probe client.Object) (allow func()) {
	w.t.Helper()
	none := corev1.ResourceList{resources: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	w.create(quota)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := w.client.Status().Update(w.t.Context(), quota); err != nil {
		w.t.Fatal(err)
	}
	probe.SetNamespace(w.namespace)
	taken := func() bool {
		fresh, ok := probe.DeepCopyObject().(client.Object)
		return ok && w.client.Create(w.t.Context(), fresh, client.DryRunAll) == nil
	}
	w.eventually(func() error {
		if taken() {
			return errors.New("the quota is not in force")
		}
		return nil
	})
	return func() {
		w.t.Helper()
		if err := w.client.Delete(w.t.Context(), quota); err != nil {
			w.t.Fatal(err)
		}
		w.eventually(func() error {
			if !taken() {
				return errors.New("the quota is still in force")
			}
			return nil
		})
	}
}
