package aftersales

import (
	"cmp"
	"fmt"
	"strings"
)

// Said is what a case's history says of an operation, as far as it is.
func (e *Effect) Said(o Operation) string {
	subject := operationName(o)
	if e.Amount > 0 {
		subject += " " + yuan(e.Amount) + " 元"
	}
	said := []string{subject + effectWords(e.State)}
	if e.Reference != "" {
		said = append(said, "流水号 "+e.Reference)
	}
	if e.State == EffectRefused && e.Reason != "" {
		said = append(said, e.Reason)
	}
	return strings.Join(said, "，")
}

func operationName(o Operation) string {
	switch o {
	case OperationRefund:
		return "退款"
	case OperationShipment:
		return "发货"
	case OperationClaim:
		return "运费险理赔"
	case OperationFreight:
		return "退运费"
	case OperationReversal:
		return "追回退款"
	case OperationAddress:
		return "修改地址"
	case OperationCancel:
		return "取消订单"
	default:
		return string(o)
	}
}

func freightName(f Freight) string {
	switch f {
	case FreightBuyer:
		return "运费由买家承担"
	case FreightSeller:
		return "运费由商家承担"
	case FreightInsurance:
		return "运费由运费险理赔"
	default:
		return string(f)
	}
}

func effectWords(s EffectState) string {
	switch s {
	case EffectSending:
		return "已提交商家系统"
	case EffectPending:
		return "：商家系统处理中"
	case EffectDone:
		return "：商家系统已完成"
	case EffectRefused:
		return "：没有执行"
	case EffectByHand:
		return "：没有商家系统，待人工处理"
	case EffectWaiting:
		return "：即将提交"
	default:
		return ""
	}
}

// Said is what a case's history says of an action beside its name: what was decided, by what it can be found again, and why.
func (a *Act) Said() string {
	var said []string
	if a.Amount > 0 {
		said = append(said, yuan(a.Amount)+" 元")
	}
	if a.KeepGoods {
		said = append(said, "商品不用寄回")
	}
	if a.ReturnGoods {
		said = append(said, "商品需要寄回")
	}
	if a.Freight != "" {
		said = append(said, freightName(a.Freight))
	}
	if a.FreightAmount != nil {
		said = append(said, "运费 "+yuan(*a.FreightAmount)+" 元")
	}
	if a.Tracking != "" {
		said = append(said, cmp.Or(a.Carrier, "快递单号")+" "+a.Tracking)
	}
	if a.Reference != "" {
		said = append(said, "流水号 "+a.Reference)
	}
	if len(a.Evidence) > 0 {
		said = append(said, fmt.Sprintf("%d 份凭证", len(a.Evidence)))
	}
	if a.Note != "" {
		said = append(said, a.Note)
	}
	return strings.Join(said, "，")
}
