-- Of which cases a file is evidence. An index whose making was cut short stays, and is of no use to anybody: it is removed before it is made
-- again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS service_case_evidence;
CREATE INDEX CONCURRENTLY service_case_evidence ON service_case USING gin ((detail -> 'application' -> 'evidence') jsonb_path_ops)
    WHERE kind = 'afterSales';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS service_case_evidence;
