package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of what is shown of an order.
const (
	maxShown    = 100
	maxNumber   = 64
	maxItems    = 50
	maxPaid     = 100_000_000_00
	maxQuantity = 10_000
)

// ErrUnknownOrder says that the provider knows no order of that number.
var ErrUnknownOrder = errors.New("the provider knows no such order")

// Order is what a provider tells of one.
type Order struct {
	Number string `json:"number" doc:"The order's number." example:"LM20261120001"`
	State  string `json:"state,omitempty" doc:"Where it stands, in the provider's words." example:"已发货"`
	Paid   int64  `json:"paid,omitempty" doc:"What was paid for all of it, in fen." example:"9900"`
	// PaidAt and DeliveredAt are zero where that is not known, or has not happened.
	PaidAt         time.Time `json:"paidAt,omitzero"`
	DeliveredAt    time.Time `json:"deliveredAt,omitzero"`
	Items          []Item    `json:"items,omitempty" nullable:"false"`
	FreightInsured bool      `json:"freightInsured,omitempty" doc:"An insurance pays for sending the goods back."`
	Tracking       string    `json:"tracking,omitempty" doc:"Carrier and number of the parcel." example:"顺丰 SF1234567890"`
}

// Item is one of the things that were bought.
type Item struct {
	Name     string `json:"name" example:"真丝衬衫 M"`
	Category string `json:"category,omitempty" example:"custom"`
	Quantity int32  `json:"quantity,omitempty" example:"1"`
}

// Look asks the provider what it knows of an order. What is too much of the answer is cut off, what it says beside is not looked at.
func (p *Provider) Look(ctx context.Context, number string) (Order, error) {
	request, err := p.get(ctx, "order", number)
	if err != nil {
		return Order{}, err
	}
	status, body, err := p.call(request, []byte(number))
	switch {
	case err != nil:
		return Order{}, err
	case status == http.StatusNotFound:
		return Order{}, ErrUnknownOrder
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		return Order{}, fmt.Errorf("the provider answered %d", status)
	}
	var o Order
	if json.Unmarshal(body, &o) != nil || o.Number != number || len(o.Number) > maxNumber || o.Paid < 0 || o.Paid > maxPaid {
		return Order{}, fmt.Errorf("the provider answered %d without the order that it was asked for", status)
	}
	o.State, o.Tracking = shown(o.State), shown(o.Tracking)
	o.Items = o.Items[:min(len(o.Items), maxItems)]
	for i := range o.Items {
		item := &o.Items[i]
		item.Name, item.Category, item.Quantity = shown(item.Name), shown(item.Category), min(max(item.Quantity, 0), maxQuantity)
	}
	return o, nil
}

// shown is a text as short as is shown, without what is not text.
func shown(text string) string {
	text = strings.ToValidUTF8(strings.TrimSpace(text), "")
	if utf8.RuneCountInString(text) > maxShown {
		return string([]rune(text)[:maxShown])
	}
	return text
}
