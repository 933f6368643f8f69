package officialaccount

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/wechat"
)

var _ connectors.MenuKeeper = (*connector)(nil)

// KeepMenu brings the account's menu to what the Channel declares. Where it declares none, or is being deleted, the menu is
// removed if it is the one that we published, and nobody has made others beside it, which would go with it: it is ours until then.
//
//	declared ──> the same at the platform? ──no──> publish
//	not declared ──> ours at the platform? ──yes, and no others──> delete
//	                                       └─yes, and others─────> leave
func (c *connector) KeepMenu(ctx context.Context, channel *v1alpha1.Channel, ours string) (connectors.Menu, error) {
	declared, err := buttonsOf(channel)
	if err != nil {
		return connectors.Menu{}, err
	}
	if declared == nil && ours == "" {
		return connectors.Menu{}, nil
	}
	found, err := c.Menus(ctx)
	if err != nil {
		return connectors.Menu{}, err
	}
	is, want := digest(found.Buttons), digest(declared)
	switch {
	case declared != nil && is != want:
		err = c.PublishMenu(ctx, declared)
	case declared == nil && is == ours && found.Conditional > 0:
		return connectors.Menu{Published: ours, Others: found.Conditional}, nil
	case declared == nil && is == ours:
		err = c.DeleteMenu(ctx)
	}
	if err != nil {
		return connectors.Menu{}, err
	}
	return connectors.Menu{Published: want, Others: found.Conditional}, nil
}

var errNoSpec = errors.New("set spec.officialAccount")

// buttonsOf is the menu as the platform takes it; nil where none is declared.
func buttonsOf(channel *v1alpha1.Channel) ([]wechat.MenuButton, error) {
	spec := channel.Spec.OfficialAccount
	switch {
	case spec == nil:
		return nil, errNoSpec
	case spec.Menu == nil, channel.DeletionTimestamp != nil:
		return nil, nil
	}
	buttons := make([]wechat.MenuButton, len(spec.Menu.Buttons))
	for i, declared := range spec.Menu.Buttons {
		buttons[i] = buttonOf(declared.Name, declared.MenuAction)
		for _, item := range declared.Items {
			buttons[i].Items = append(buttons[i].Items, buttonOf(item.Name, item.MenuAction))
		}
	}
	return buttons, nil
}

func buttonOf(name string, action v1alpha1.MenuAction) wechat.MenuButton {
	button := wechat.MenuButton{Name: name}
	switch program := action.MiniProgram; {
	case action.Key != "":
		button.Type, button.Key = "click", action.Key
	case action.URL != "":
		button.Type, button.URL = "view", action.URL
	case program != nil:
		button.Type, button.AppID, button.PagePath, button.URL = "miniprogram", program.AppID, program.PagePath, program.URL
	}
	return button
}

// digest tells menus apart; "" is that of no menu.
func digest(buttons []wechat.MenuButton) string {
	if len(buttons) == 0 {
		return ""
	}
	encoded, err := json.Marshal(buttons)
	if err != nil {
		return "" // Texts alone cannot fail.
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
