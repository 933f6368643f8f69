package aftersales

// Title says what an application is about, without personal data.
func (a *Application) Title() string {
	return kindName(a.Kind) + " · " + reasonName(a.Reason)
}

func kindName(k Kind) string {
	switch k {
	case Return:
		return "退货退款"
	case Exchange:
		return "换货"
	case RefundOnly:
		return "仅退款"
	case Reissue:
		return "补发"
	default:
		return "售后"
	}
}

func reasonName(r Reason) string {
	switch r {
	case NoReason:
		return "无理由"
	case Quality:
		return "质量问题"
	case WrongItem:
		return "错发"
	case MissingItem:
		return "少发"
	case Damaged:
		return "破损"
	default:
		return "其他"
	}
}
