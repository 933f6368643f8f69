-- By which routers ask whether a Channel that goes has messages in the spool: made while connectors go on spooling. One whose
-- making was cut short stays, and is of no use to anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS spool_channel;
CREATE INDEX CONCURRENTLY spool_channel ON spool ((envelope->>'subject')) WHERE pool NOT LIKE '%/unreadable';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS spool_channel;
