-- By which routers ask whether a Channel that goes has messages in the spool: made while connectors go on spooling.

-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS spool_channel ON spool ((envelope->>'subject')) WHERE pool NOT LIKE '%/unreadable';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS spool_channel;
