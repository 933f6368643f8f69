-- What was done outside for after-sales cases: money paid back, goods sent. A row is written before the provider is told, so that a
-- worker that dies in between finds it, tells the provider again under the same key, and moves nothing twice.

-- +goose Up
CREATE TABLE IF NOT EXISTS case_effect (
    -- The idempotency key: <case>/<operation>/<attempt>.
    key          text        PRIMARY KEY,
    case_id      text        NOT NULL REFERENCES service_case (id) ON DELETE CASCADE,
    -- refund, shipment, claim, reversal
    operation    text        NOT NULL,
    order_number text        NOT NULL,
    -- In fen; 0 where no money moves.
    amount       bigint      NOT NULL DEFAULT 0 CHECK (amount >= 0),
    -- sending, pending, done, refused
    state        text        NOT NULL,
    -- What the provider is told, the same each time.
    body         bytea       NOT NULL DEFAULT '',
    reference    text        NOT NULL DEFAULT '',
    began_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL
);
-- What an order has cost already.
CREATE INDEX IF NOT EXISTS case_effect_order ON case_effect (order_number);
CREATE INDEX IF NOT EXISTS case_effect_case ON case_effect (case_id);
CREATE INDEX IF NOT EXISTS service_case_order ON service_case ((detail -> 'application' -> 'order' ->> 'number')) WHERE kind = 'afterSales';

-- +goose Down
DROP INDEX service_case_order;
DROP TABLE case_effect;
