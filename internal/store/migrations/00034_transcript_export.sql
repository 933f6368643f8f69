-- Who has taken a conversation out of the desk, and by which hash the file is known.

-- +goose Up
CREATE TABLE IF NOT EXISTS transcript_export (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid        NOT NULL,
    agent           text        NOT NULL,
    exported_at     timestamptz NOT NULL,
    sha256          bytea       NOT NULL
);
CREATE INDEX IF NOT EXISTS transcript_export_conversation ON transcript_export (conversation_id, exported_at);

-- +goose Down
DROP TABLE transcript_export;
