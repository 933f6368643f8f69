-- name: CaseAddressAdd :exec
INSERT INTO case_address (case_id, recipient, phone, address) VALUES (@case_id, @recipient, @phone, @address);

-- name: CaseAddressGet :one
SELECT * FROM case_address WHERE case_id = @case_id;

-- name: OrderAsked :one
-- Whether something is asked of an order that nobody has answered yet; and whether the order was cancelled, or may be.
SELECT coalesce(bool_or(closed_at IS NULL), false)::bool AS busy,
       coalesce(bool_or(detail ->> 'operation' = 'cancel' AND state <> 'refused'), false)::bool AS cancelled
FROM service_case WHERE kind = 'order' AND upper((detail ->> 'order') COLLATE "C") = upper((@order_number::text) COLLATE "C");
