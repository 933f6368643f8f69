-- Of each message there is one row of what was said at once, by which connectors and routers agree who says it. The index makes them
-- agree; one whose making was cut short stays, and is of no use to anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE passive_reply
    -- The last of the platform's calls in which it is said.
    ADD COLUMN IF NOT EXISTS call          uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- Since when that call is known to have ended without its answer.
    ADD COLUMN IF NOT EXISTS unheard_since timestamptz,
    -- It is said otherwise, and in no call any more.
    ADD COLUMN IF NOT EXISTS withdrawn     boolean     NOT NULL DEFAULT false;
DELETE FROM passive_reply r USING passive_reply s
WHERE s.channel = r.channel AND s.external_id = r.external_id AND s.message_id = r.message_id AND s.key < r.key;
DROP INDEX CONCURRENTLY IF EXISTS passive_reply_message;
CREATE UNIQUE INDEX CONCURRENTLY passive_reply_message ON passive_reply (channel, external_id, message_id);
DROP INDEX CONCURRENTLY IF EXISTS passive_reply_unheard;
CREATE INDEX CONCURRENTLY passive_reply_unheard ON passive_reply (unheard_since) WHERE unheard_since IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS passive_reply_unheard;
DROP INDEX CONCURRENTLY IF EXISTS passive_reply_message;
ALTER TABLE passive_reply DROP COLUMN call, DROP COLUMN unheard_since, DROP COLUMN withdrawn;
