-- Where orders are to be sent to that customers want sent elsewhere. It is personal, and goes with its case. The indexes are made while
-- the desks go on writing; one whose making was cut short is made again from the start.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS case_address (
    case_id   text PRIMARY KEY REFERENCES service_case (id) ON DELETE CASCADE,
    recipient text NOT NULL,
    phone     text NOT NULL,
    address   text NOT NULL
);
-- What is asked of an order.
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked;
CREATE INDEX CONCURRENTLY service_case_asked ON service_case ((detail ->> 'order')) WHERE kind = 'order';
-- What retention erases that belongs to no conversation.
DROP INDEX CONCURRENTLY IF EXISTS service_case_alone;
CREATE INDEX CONCURRENTLY service_case_alone ON service_case (closed_at)
    WHERE conversation_id IS NULL AND closed_at IS NOT NULL AND kind IN ('afterSales', 'complaint');
-- What an order has cost is counted over its cases.
DROP INDEX CONCURRENTLY IF EXISTS case_effect_order;

-- +goose Down
CREATE INDEX CONCURRENTLY IF NOT EXISTS case_effect_order ON case_effect (order_number);
DROP INDEX CONCURRENTLY IF EXISTS service_case_alone;
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked;
DROP TABLE IF EXISTS case_address;
