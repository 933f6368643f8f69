-- name: OrderLock :exec
-- One at a time may spend of an order, over all of its cases.
SELECT pg_advisory_xact_lock(hashtextextended('order/' || @order_number::text, 22));

-- name: OrderSpent :one
-- What was paid back for an order or may have been, in fen, less what came back; of the effect with the key nothing. paid is the least that
-- a case of the order says was paid for it, of those that ask for something still or got it.
SELECT
    (SELECT coalesce(sum(CASE WHEN e.operation = 'refund' THEN e.amount ELSE -e.amount END), 0)
     FROM case_effect e
     WHERE e.order_number = @order_number AND e.key <> @key
       AND (e.operation = 'refund' AND e.state <> 'refused' OR e.operation = 'reversal' AND e.state = 'done'))::bigint AS spent,
    (SELECT coalesce(min((c.detail -> 'application' -> 'order' ->> 'paid')::bigint), 0)
     FROM service_case c
     WHERE c.kind = 'afterSales' AND c.detail -> 'application' -> 'order' ->> 'number' = @order_number
       AND c.state NOT IN ('refused', 'withdrawn', 'expired'))::bigint AS paid;

-- name: CaseEffectBegin :one
-- No row when it has begun already.
INSERT INTO case_effect (key, case_id, operation, order_number, amount, state, body, reference, began_at, changed_at)
VALUES (@key, @case_id, @operation, @order_number, @amount, @state, @body, @reference, @at, @at)
ON CONFLICT (key) DO NOTHING
RETURNING *;

-- name: CaseEffectGet :one
SELECT * FROM case_effect WHERE key = @key;

-- name: CaseEffectSettle :exec
-- What is done or refused stays so.
UPDATE case_effect SET state = @state, reference = @reference, changed_at = @at WHERE key = @key AND state IN ('sending', 'pending');

-- name: ConversationNewest :one
-- The id of the contact's newest conversation, open or not.
SELECT c.id FROM contact k JOIN conversation c USING (customer_id, channel, external_id)
WHERE k.channel = @channel AND k.external_id = @external_id
ORDER BY c.opened_at DESC LIMIT 1;
