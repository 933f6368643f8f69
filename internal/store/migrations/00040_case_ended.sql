-- The cases that have ended, the last first. An index whose making was cut short stays, and is of no use to anybody: it is removed before
-- it is made again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS service_case_ended;
CREATE INDEX CONCURRENTLY service_case_ended ON service_case (closed_at DESC, id DESC) WHERE closed_at IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS service_case_ended;
