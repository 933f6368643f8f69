package aftersales

import (
	"cmp"
	"slices"
	"time"
)

// Attempt is the number of the attempt at the operation of the case's state, and what became of it; 0 where the state has none.
func (c *Case) Attempt() (number int, state EffectState) {
	if effect := c.Effect(c.Operation()); effect != nil {
		return effect.Attempt, effect.State
	}
	return 0, ""
}

// Begin notes that the operation of the state may reach the provider from now on, under that key. False where that was noted, or it is
// somebody else's by now.
func (c *Case) Begin(key string, at time.Time) bool {
	return c.settle(Effect{Key: key, State: EffectSending, At: at}, EffectWaiting)
}

// LeaveByHand notes that no provider does the operation of the state.
func (c *Case) LeaveByHand(at time.Time) bool {
	return c.settle(Effect{State: EffectByHand, At: at}, EffectWaiting)
}

// Pending notes that the provider took the operation of the state.
func (c *Case) Pending(reference string, at time.Time) bool {
	return c.settle(Effect{State: EffectPending, Reference: reference, At: at}, EffectSending)
}

// Refuse notes that the operation of the state was not done, and why.
func (c *Case) Refuse(reason string, at time.Time) bool {
	return c.settle(Effect{State: EffectRefused, Reason: shortened(reason), At: at}, EffectWaiting, EffectSending, EffectPending)
}

// Done notes that the provider did the operation of the state, and goes on.
func (c *Case) Done(reference string, at time.Time) bool {
	if !c.settle(Effect{State: EffectDone, Reference: shortened(reference), By: ByProvider, At: at}, EffectSending, EffectPending) {
		return false
	}
	c.leave(c.next(), Act{By: ByProvider, Note: shortened(reference)}, at)
	return true
}

// settle changes the effect of the state, if it is in one of the given.
func (c *Case) settle(to Effect, from ...EffectState) bool {
	at := c.effect(c.Operation())
	if at == nil || *at == nil {
		return false
	}
	now := **at
	if !slices.Contains(from, now.State) {
		return false
	}
	now.State, now.Reason, now.By, now.At = to.State, to.Reason, to.By, to.At
	now.Key, now.Reference = cmp.Or(to.Key, now.Key), cmp.Or(to.Reference, now.Reference)
	*at = &now
	return true
}

// shortened bounds what somebody else's program says.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxShort {
		return string(runes[:maxShort])
	}
	return text
}
