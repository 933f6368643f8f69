// What a case's frame calls its reader for.

// callOf says why a case's frame calls whoever reads it: new, given, soon, late, escalated, refused, byHand, disputed, approved or declined. It is undefined for
// what only changes lists, for what they did themself, and for what is somebody else's to do. Late ones call everybody who is told.
export function callOf(c, me) {
  if (c.actor === me) return undefined;
  if (c.kind === 'complaint') return ofComplaint(c, me);
  if (c.closedAt) return ofEnded(c, me);
  const theirs = c.owner ? c.owner === me : !waits(c);
  switch (c.action) {
    case 'open':
    case 'apply': return theirs ? 'new' : undefined;
    case 'assign':
    case 'reassign': return c.owner === me ? 'given' : undefined;
    case 'remind': return theirs ? 'soon' : undefined;
    case 'breach':
    case 'overall': return 'late';
    case 'escalate': return 'escalated';
    case 'providerRefused': return theirs ? 'refused' : undefined;
    case 'byHand': return theirs ? 'byHand' : undefined;
    case 'reject':
    case 'reversed':
    case 'providerDone': return theirs && c.state === 'sendingBack' ? 'byHand' : undefined; // No provider does it.
    default: return undefined;
  }
}

// ofComplaint: one that somebody wrote down is new to whoever is told, and a reminder is for whoever is told; that one climbs is told beside.
// Whoever offered something to who complained tells the customer, once somebody else has decided.
function ofComplaint(c, me) {
  if (c.action === 'open' || c.action === 'complain') return c.actor ? 'new' : undefined;
  if (c.action === 'remind') return 'soon';
  const offer = ((c.detail || {}).compensations || []).at(-1);
  if (!offer || offer.by !== me) return undefined;
  if (c.action === 'approve') return 'approved';
  return c.action === 'refuse' ? 'declined' : undefined;
}

// ofEnded: a change of an order ends with the provider's refusal, and is nobody's any more but in what it knows of itself.
function ofEnded(c, me) {
  const detail = c.detail || {};
  if (c.action === 'escalate' && c.kind === 'afterSales' && detail.content === false) return 'disputed';
  return c.action === 'providerRefused' && detail.owner === me ? 'refused' : undefined;
}

// waits: nobody has to do anything but the customer.
const waits = (c) => c.kind === 'afterSales' && (c.state === 'evidence' || (c.state === 'returning' && !(c.detail || {}).parcel));
