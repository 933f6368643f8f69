-- The cases of an order, in whichever case the letters of its number are written. The indexes of before are of no use to these queries:
-- a worker of before that still runs looks through all cases instead, which takes it longer and finds the same.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS service_case_order_number;
CREATE INDEX CONCURRENTLY service_case_order_number ON service_case (upper((detail -> 'application' -> 'order' ->> 'number') COLLATE "C"))
    WHERE kind = 'afterSales';
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked_number;
CREATE INDEX CONCURRENTLY service_case_asked_number ON service_case (upper((detail ->> 'order') COLLATE "C")) WHERE kind = 'order';
DROP INDEX CONCURRENTLY IF EXISTS service_case_order;
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked;
CREATE INDEX CONCURRENTLY service_case_asked ON service_case ((detail ->> 'order')) WHERE kind = 'order';
DROP INDEX CONCURRENTLY IF EXISTS service_case_order;
CREATE INDEX CONCURRENTLY service_case_order ON service_case ((detail -> 'application' -> 'order' ->> 'number')) WHERE kind = 'afterSales';
DROP INDEX CONCURRENTLY IF EXISTS service_case_asked_number;
DROP INDEX CONCURRENTLY IF EXISTS service_case_order_number;
