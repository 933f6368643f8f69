-- By which routers find the windows that close within the hour, once a minute. One whose making was cut short stays, and is of no
-- use to anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS quota_window_ends;
CREATE INDEX CONCURRENTLY quota_window_ends ON quota (window_ends);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS quota_window_ends;
