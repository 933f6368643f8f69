-- +goose Up
-- One index serves everything that relays do. With a second one Postgres chose the wrong one for a table that it believed
-- to be empty, as an outbox mostly is, and read the whole of it.
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
ALTER TABLE outbox ADD PRIMARY KEY (destination, shard, id);
DROP INDEX outbox_shard;

-- +goose Down
CREATE INDEX outbox_shard ON outbox (destination, shard, id);
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey;
ALTER TABLE outbox ADD PRIMARY KEY (id);
