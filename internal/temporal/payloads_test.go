package temporal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// secret is in all that the workflow below is given, and makes.
const secret = "13800138000"

func newKeys(t *testing.T) tink.AEAD {
	t.Helper()
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		t.Fatal(err)
	}
	return primitive
}

// talkative is a workflow that says the secret wherever one can.
func talkative(registry worker.Registry) {
	registry.RegisterActivityWithOptions(func(_ context.Context, heard string) (string, error) {
		return heard, sdk.NewNonRetryableApplicationError("cannot call "+heard, "Refused", errors.New(heard), heard)
	}, activity.RegisterOptions{Name: "Call"})
	registry.RegisterWorkflowWithOptions(func(ctx workflow.Context, told string) (string, error) {
		heard := told
		if err := workflow.SetQueryHandler(ctx, "heard", func(prefix string) (string, error) { return prefix + heard, nil }); err != nil {
			return "", err
		}
		workflow.GetSignalChannel(ctx, "more").Receive(ctx, &heard)
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Second})
		if err := workflow.ExecuteActivity(ctx, "Call", heard).Get(ctx, nil); err == nil || !strings.Contains(err.Error(), secret) {
			return "", errors.New("the activity's error does not say why")
		}
		if err := workflow.UpsertMemo(ctx, map[string]any{"note": heard}); err != nil {
			return "", err
		}
		return told + heard, errors.New("gave up on " + heard)
	}, workflow.RegisterOptions{Name: "Talkative"})
}

// talk runs the workflow to its end, and returns all that the service keeps of it.
func talk(t *testing.T, c client.Client, namespace string) proto.Message {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		TaskQueue: temporal.TaskQueue, Memo: map[string]any{"who": secret}, StaticSummary: secret,
	}, "Talkative", secret)
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the workflow to answer", func() error {
		value, err := c.QueryWorkflow(t.Context(), run.GetID(), "", "heard", secret)
		if err != nil {
			return err
		}
		var heard string
		if err := value.Get(&heard); err != nil || heard != secret+secret {
			t.Errorf("the query answers %q with the error %v", heard, err)
		}
		return nil
	})
	if err := c.SignalWorkflow(t.Context(), run.GetID(), "", "more", secret); err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "gave up on "+secret) {
		t.Errorf("the workflow ends with the error %v", err)
	}
	kept, err := c.WorkflowService().GetWorkflowExecutionHistory(t.Context(), &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: run.GetID()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// newNamespace makes a namespace and returns how it is dialled.
func newNamespace(t *testing.T) temporal.Options {
	t.Helper()
	o := temporal.Options{Address: testenv.Temporal(t), Namespace: testenv.Unique("brand"), Logger: slog.New(slog.DiscardHandler)}
	if err := temporal.EnsureNamespace(t.Context(), o, temporal.Retention); err != nil {
		t.Fatal(err)
	}
	return o
}

func dial(t *testing.T, o temporal.Options) client.Client {
	t.Helper()
	c, err := temporal.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// work has a worker serve until the test ends or the returned function is called.
func work(t *testing.T, c client.Client, register func(worker.Registry)) (stop func()) {
	t.Helper()
	return runs(t, temporal.NewWorker(c, slog.New(slog.DiscardHandler), register))
}

func TestTheServiceKeepsNothingThatACustomerSaid(t *testing.T) {
	o := newNamespace(t)
	for name, tt := range map[string]struct {
		keys tink.AEAD
		told bool
	}{
		"with keys":    {newKeys(t), false},
		"without keys": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			o.Keys = tt.keys
			c := dial(t, o)
			stop := work(t, c, talkative)
			defer stop()
			kept, err := proto.Marshal(talk(t, c, o.Namespace))
			if err != nil {
				t.Fatal(err)
			}
			if told := bytes.Contains(kept, []byte(secret)); told != tt.told {
				t.Errorf("the service knows what was said: %t, want %t", told, tt.told)
			}
		})
	}
}

func TestWhatBeganInPlainTextGoesOnEncrypted(t *testing.T) {
	o := newNamespace(t)
	before := dial(t, o)
	run, err := before.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: temporal.TaskQueue}, "Talkative", secret)
	if err != nil {
		t.Fatal(err)
	}
	stop := work(t, before, talkative)
	waitUntil(t, "the workflow to wait", func() error {
		_, err := before.QueryWorkflow(t.Context(), run.GetID(), "", "heard", "")
		return err
	})
	stop()
	o.Keys = newKeys(t)
	after := dial(t, o)
	work(t, after, talkative)
	if err := after.SignalWorkflow(t.Context(), run.GetID(), "", "more", secret); err != nil {
		t.Fatal(err)
	}
	if err := after.GetWorkflow(t.Context(), run.GetID(), "").Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "gave up on "+secret) {
		t.Errorf("the workflow ends with the error %v", err)
	}
}

func TestAWorkerWithoutTheKeysEndsNoPromise(t *testing.T) {
	o := newNamespace(t)
	o.Keys = newKeys(t)
	c := dial(t, o)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: temporal.TaskQueue}, "Talkative", secret)
	if err != nil {
		t.Fatal(err)
	}
	strange := o
	strange.Keys = newKeys(t)
	stop := work(t, dial(t, strange), talkative)
	waitUntil(t, "a task to fail", func() error {
		history := c.GetWorkflowHistory(t.Context(), run.GetID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return err
			}
			if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED {
				return nil
			}
		}
		return errors.New("none has failed")
	})
	stop()
	work(t, c, talkative)
	if err := c.SignalWorkflow(t.Context(), run.GetID(), "", "more", secret); err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "gave up on "+secret) {
		t.Errorf("the workflow ends with the error %v", err)
	}
}

func TestPayloadsOfOthersPassAndChangedOnesDoNot(t *testing.T) {
	codec := temporal.NewCodec(newKeys(t))
	plain, err := converter.GetDefaultDataConverter().ToPayloads(secret, nil, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := codec.Encode(plain.GetPayloads())
	if err != nil {
		t.Fatal(err)
	}
	for name, payloads := range map[string][]*commonpb.Payload{"of before": plain.GetPayloads(), "its own": encoded} {
		decoded, err := codec.Decode(payloads)
		if err != nil || !proto.Equal(&commonpb.Payloads{Payloads: decoded}, plain) {
			t.Errorf("payloads %s are read as %v with the error %v", name, decoded, err)
		}
	}
	changed := proto.CloneOf(encoded[0])
	changed.Data[len(changed.Data)-1] ^= 1
	if _, err := codec.Decode([]*commonpb.Payload{changed}); err == nil {
		t.Error("a payload that was changed is read")
	}
}
