-- What the desk needs to know of its agents: when they were last seen, and whose news a feed holds.

-- +goose Up

-- When the agent's client was last heard of; null until then. Who was not seen for minutes is off duty.
ALTER TABLE presence ADD COLUMN seen_at timestamptz;

-- The UID of the Agent who last read the feed: another one of the same name starts anew. '' until somebody reads it.
ALTER TABLE feed ADD COLUMN reader text NOT NULL DEFAULT '';

-- How much an agent has uploaded and not sent.
CREATE INDEX media_unsent ON media (platform_id) WHERE channel = '';

-- +goose Down
DROP INDEX media_unsent;
ALTER TABLE feed DROP COLUMN reader;
ALTER TABLE presence DROP COLUMN seen_at;
