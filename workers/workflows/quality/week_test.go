package quality

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// said are messages of a conversation, the customer's and the agent's in turn.
func (b *brand) said(id uuid.UUID, at time.Time, texts ...string) {
	b.T.Helper()
	b.do(at, func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationGet(ctx, id)
		if err != nil {
			return err
		}
		for i, text := range texts {
			content, err := json.Marshal(message.Content{Kind: message.KindText, Text: text})
			if err != nil {
				return err
			}
			m := db.MessageAddParams{
				ID: uuid.Must(uuid.NewV7()), ConversationID: id, Channel: c.Channel, ExternalID: c.ExternalID, Direction: "inbound", Sender: "customer",
				PlatformMessageID: fmt.Sprint(id, i), Content: content, SentAt: at.Add(time.Duration(i) * time.Second), ReceivedAt: at,
			}
			if i%2 == 1 {
				m.Direction, m.Sender, m.Agent = "outbound", "agent", "an"
			}
			if err := u.MessageAdd(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// lastWeek is a time in the week before this one, in Shanghai.
func lastWeek(t *testing.T) time.Time {
	t.Helper()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return quality.WeekBefore(time.Now(), shanghai).Since.Add(time.Hour)
}

func TestAWeekIsCountedWithoutWhatSaysWhoSomebodyIs(t *testing.T) {
	b := newBrand(t)
	at := lastWeek(t)
	if _, err := b.Store.Pool().Exec(t.Context(), "SELECT ensure_message_partitions($1)", at.AddDate(0, -1, 0)); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		id := b.ends("an", at)
		b.said(id, at.Add(-time.Minute), "你好", "您好!", fmt.Sprintf("订单2026112100%04d怎么退货", i), "在订单页点申请退货,打13800138000也行。")
		b.rated(id, at, 5, false)
	}
	for i := range 3 {
		id := b.ends("an", at)
		b.said(id, at.Add(-time.Minute), "多久发货?我电话13912345678", "快了")
		if i > 0 {
			b.rated(id, at, 1, true)
		}
	}
	b.said(b.ends("an", at.AddDate(0, 0, 8)), at, "怎么退货")
	if err := b.schedules().Ensure(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	b.Work(served(b.Store))
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), "quality-week/shop/lumi")
	if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	var row db.QualityReport
	b.eventually("the report", func() bool {
		rows, err := b.Store.Queries().QualityReports(t.Context(), 1)
		if err == nil && len(rows) == 1 {
			row, err = b.Store.Queries().QualityReportGet(t.Context(), rows[0].Name)
		}
		return err == nil && row.Name != ""
	})
	var got quality.Report
	if err := json.Unmarshal(row.Report, &got); err != nil {
		t.Fatal(err)
	}
	shanghai := time.FixedZone("", 8*3600)
	want := quality.Report{
		Name: quality.WeekBefore(time.Now(), shanghai).Name, Conversations: 7, Rated: 6, Poor: 2, Phrases: []quality.Phrase{},
		Topics: []quality.Topic{
			{
				Question: "订单怎么退货", Playbook: "shop", Conversations: 4, Customers: 4, Solved: 4,
				Answer: "在订单页点申请退货,打[手机号]也行。", Given: 4, Content: 4,
			},
			{Question: "多久发货?我电话", Playbook: "shop", Known: "shipping", KnownQuestion: "什么时候发货", Conversations: 3, Customers: 3, Solved: 1},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	started := b.started(handle)
	var result promise.QualityWeekResult
	if err := b.Client.GetWorkflow(t.Context(), started, "").Get(t.Context(), &result); err != nil {
		t.Fatal(err)
	}
	if result.Conversations != 7 || result.Report != want.Name {
		t.Errorf("the result is %+v", result)
	}
	if strings.Contains(string(row.Report), "139") {
		t.Errorf("the report names somebody: %s", row.Report)
	}
	b.StoreHistory(newest, started, "week")
}
