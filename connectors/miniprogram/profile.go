package miniprogram

import (
	"context"

	"github.com/yingda-dev/yingda/connectors"
)

var _ connectors.ProfileSource = (*connector)(nil)

// Profile redeems a login of the customer's: the platform says nothing of who has not logged in.
func (c *connector) Profile(ctx context.Context, customer, loginCode string) (connectors.Profile, error) {
	if loginCode == "" {
		return connectors.Profile{}, &connectors.CallError{Class: connectors.ClassPermanent, Reason: "NotLoggedIn"}
	}
	return c.Login(ctx, customer, loginCode)
}
