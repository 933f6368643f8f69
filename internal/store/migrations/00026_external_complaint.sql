-- A complaint that came from outside (a platform, the 12315 hotline) may belong to no conversation.

-- +goose Up
ALTER TABLE complaint ALTER COLUMN conversation_id DROP NOT NULL;

-- +goose Down
DELETE FROM complaint WHERE conversation_id IS NULL;
ALTER TABLE complaint ALTER COLUMN conversation_id SET NOT NULL;
