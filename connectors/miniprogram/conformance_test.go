package miniprogram_test

import (
	"testing"

	"github.com/yingda-dev/yingda/connectors/conformance"
	"github.com/yingda-dev/yingda/connectors/conformance/wechatplatform"
	"github.com/yingda-dev/yingda/connectors/miniprogram"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Subject{
		Type: miniprogram.Type{}, NewPlatform: wechatplatform.MiniProgram,
		Gaps: map[conformance.Check]string{
			conformance.NoticesNeedNoWindow: "WeChat sends a mini-program's notices to those alone who have agreed to that one notice, in the mini-program",
			conformance.LateFailuresAreTold: "no notices are sent",
		},
	})
}
