-- name: OrderLock :exec
-- One at a time may spend of an order, over all of its cases, in whichever case its letters are written. The second lock is that of
-- workers of before, which may run beside.
SELECT pg_advisory_xact_lock(hashtextextended('order/' || upper((@order_number::text) COLLATE "C"), 22)),
       pg_advisory_xact_lock(hashtextextended('order/' || @order_number::text, 22));

-- name: CasesOfOrder :many
-- What is inside of the other cases of an order, but for those that ended without any money.
SELECT detail FROM service_case
WHERE kind = 'afterSales' AND upper((detail -> 'application' -> 'order' ->> 'number') COLLATE "C") = upper((@order_number::text) COLLATE "C") AND id <> @id
  AND (state NOT IN ('refused', 'withdrawn', 'expired') OR detail -> 'refund' IS NOT NULL);

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
