package aftersales

import (
	"cmp"
	"slices"
)

// Attempt is the number of the attempt at the operation of the case's state, and what became of it; 0 where the state has none.
func (c *Case) Attempt() (number int, state EffectState) {
	if effect := c.Effect(c.Operation()); effect != nil {
		return effect.Attempt, effect.State
	}
	return 0, ""
}

// Become is what becomes of an effect; false where it is not in a state that leads there.
func (e Effect) Become(to Effect) (Effect, bool) {
	from := map[EffectState][]EffectState{
		EffectSending: {EffectWaiting},
		EffectByHand:  {EffectWaiting},
		EffectPending: {EffectSending},
		EffectRefused: {EffectWaiting, EffectSending, EffectPending},
		EffectDone:    {EffectSending, EffectPending},
	}
	if !slices.Contains(from[to.State], e.State) {
		return e, false
	}
	e.State, e.Reason, e.By, e.At = to.State, shortened(to.Reason), to.By, to.At
	e.Key, e.Reference = cmp.Or(to.Key, e.Key), cmp.Or(shortened(to.Reference), e.Reference)
	return e, true
}

// UnderWay says whether the product does it, or asks what became of it: nobody may do it by hand meanwhile.
func (e *Effect) UnderWay() bool {
	return e != nil && (e.State == EffectWaiting || e.State == EffectSending || e.State == EffectPending)
}

// Settle notes what became of the operation of the state, and goes on where that is done. False where that was noted, or it is somebody
// else's by now.
func (c *Case) Settle(to Effect) bool {
	at := c.effect(c.Operation())
	if at == nil || *at == nil {
		return false
	}
	now, changed := (*at).Become(to)
	if !changed {
		return false
	}
	*at = &now
	if now.State == EffectDone {
		c.leave(c.next(), Act{By: now.By, Note: now.Reference}, now.At)
	}
	return true
}

// shortened bounds what somebody else's program says.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxShort {
		return string(runes[:maxShort])
	}
	return text
}
