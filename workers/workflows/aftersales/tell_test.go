package aftersales

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
)

// By that the router knows of what a customer was not told when the platform refuses the text.
func TestATextSaysWhichStepOfWhichCaseItTellsOf(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	conversation := b.Converse("customer", 5)
	in := input(func(in *promise.AfterSalesInput) { in.Conversation = &conversation })
	reference := b.begins(a, in)
	if err := a.Tell(t.Context(), Telling{Case: reference}); err != nil {
		t.Fatal(err)
	}
	rows, err := b.Store.Queries().Transcript(t.Context(), conversation, 100)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d messages, %v, want one", len(rows), err)
	}
	var content message.Content
	if err := json.Unmarshal(rows[0].Content, &content); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&message.About{Case: in.ID, Step: "told/0"}, content.About); diff != "" {
		t.Errorf("it tells of (-want +got):\n%s", diff)
	}
}
