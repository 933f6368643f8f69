-- Why a conversation ended that nobody ended: its Channel was deleted.

-- +goose Up
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS close_reason text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE conversation DROP COLUMN close_reason;
