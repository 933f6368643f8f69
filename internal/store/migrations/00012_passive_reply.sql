-- What connectors have said in their answers to a platform's calls, so that a call that is repeated gets the same answer, and a
-- thing that is to be said once is said once. A row is of use while its platform repeats calls and its message is on its way.

-- +goose Up
CREATE TABLE passive_reply (
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    -- Of replies with the same key a customer gets one.
    key         text        NOT NULL,
    message_id  text        NOT NULL,
    -- message.Reply as JSON.
    reply       jsonb       NOT NULL,
    replied_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, external_id, key)
);
CREATE INDEX passive_reply_age ON passive_reply (replied_at);

-- +goose Down
DROP TABLE passive_reply;
