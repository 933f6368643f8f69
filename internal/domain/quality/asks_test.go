package quality

import "testing"

func TestThanksAndFarewellAskForNoAnswer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"谢谢": false, "好的,谢谢您!": false, "嗯嗯 知道了": false, "没有问题了,再见": false, "OK[微笑]": false, "Thank you": false, "👌": false, "": false,
		"可以吗": true, "好了吗?": true, "没有收到": true, "不可以": true, "还有问题": true, "谢谢,那什么时候发货": true, "?": true, "快递呢": true, "退款": true, "[微笑": true,
		"[微笑][破涕为笑]": false, "[[捂脸]": false, "[什么时候发货]": true, "[订单123 还没到]": true, "[123]": true, "[多久?]": true, "[什么时候[微笑]": true,
	} {
		if got := Asks(text); got != want {
			t.Errorf("%q asks: %t, want %t", text, got, want)
		}
	}
}
