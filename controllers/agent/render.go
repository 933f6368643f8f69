package agent

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

const (
	// tokenKey is the key of the Secret under which the token lies.
	tokenKey = "token"
	// annotationHash holds the SHA-256 of the token in lower-case hexadecimal.
	annotationHash = "yingda.dev/trial-token-sha256"
	tokenSuffix    = "-trial-token"
	tokenBytes     = 32
	hashLength     = 2 * sha256.Size
)

func secretName(agent string) string { return agent + tokenSuffix }

// newToken makes the Secret with a new token, and the token's hash.
func newToken(agent *v1alpha1.Agent, random io.Reader) (*corev1.Secret, string, error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return nil, "", fmt.Errorf("drawing a trial token: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:])
	immutable := true
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:      secretName(agent.Name),
			Namespace: agent.Namespace,
			Labels: map[string]string{
				dataplane.LabelName: dataplane.Name, dataplane.LabelManagedBy: dataplane.ManagedBy,
				dataplane.LabelTrialToken: "true",
			},
			Annotations: map[string]string{annotationHash: hash},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(agent, v1alpha1.GroupVersion().WithKind("Agent")),
			},
		},
		Immutable: &immutable,
		Type:      corev1.SecretTypeOpaque,
		Data:      map[string][]byte{tokenKey: []byte(token)},
	}, hash, nil
}

// agentOfToken finds the Agent whose token a Secret would be by its name, whoever owns it: one that stood in the way and
// went makes room.
func agentOfToken(_ context.Context, secret client.Object) []reconcile.Request {
	name, isToken := strings.CutSuffix(secret.GetName(), tokenSuffix)
	if !isToken || name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}}}
}
