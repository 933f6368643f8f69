-- What a customer sent with forms within a day: of that only so much is kept.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS media_form;
CREATE INDEX CONCURRENTLY media_form ON media (channel, platform_id, created_at) WHERE platform_id LIKE 'form/%';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS media_form;
