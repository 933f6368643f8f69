package officialaccount

import (
	"context"

	"github.com/yingda-dev/yingda/connectors"
)

var _ connectors.ProfileSource = (*connector)(nil)

// Profile asks who a customer is. Nobody logs in to an official account.
func (c *connector) Profile(ctx context.Context, customer, _ string) (connectors.Profile, error) {
	return c.Follower(ctx, customer)
}
