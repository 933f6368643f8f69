// Package registry lists the channels that the product has. A new channel is its package and one line here.
package registry

import (
	"fmt"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/miniprogram"
	"github.com/yingda-dev/yingda/connectors/officialaccount"
)

// Types returns every channel type.
func Types() []connectors.Type {
	return []connectors.Type{
		miniprogram.Type{},
		officialaccount.Type{},
	}
}

// Find returns the type of that name.
func Find(name v1alpha1.ChannelType) (connectors.Type, error) {
	for _, t := range Types() {
		if t.Name() == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no connector speaks the channel type %q", name)
}
