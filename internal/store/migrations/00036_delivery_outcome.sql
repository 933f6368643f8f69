-- What was never sent because it was not so any more; and by which id the platform tells later what became of a notice. Made while
-- connectors go on writing. One whose making was cut short is made again from the start.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE delivery DROP CONSTRAINT IF EXISTS delivery_state_check;
-- Not validated: rows that are there passed the narrower one.
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check
    CHECK (state IN ('queued', 'sending', 'deferred', 'delivered', 'failed', 'unknown', 'superseded')) NOT VALID;
ALTER TABLE delivery ADD COLUMN IF NOT EXISTS platform_id text NOT NULL DEFAULT '';
DROP INDEX CONCURRENTLY IF EXISTS delivery_platform;
CREATE INDEX CONCURRENTLY delivery_platform ON delivery (channel, platform_id) WHERE platform_id <> '';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS delivery_platform;
ALTER TABLE delivery DROP COLUMN IF EXISTS platform_id;
UPDATE delivery SET state = 'failed' WHERE state = 'superseded';
ALTER TABLE delivery DROP CONSTRAINT IF EXISTS delivery_state_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check CHECK (state IN ('queued', 'sending', 'deferred', 'delivered', 'failed', 'unknown')) NOT VALID;
