-- What choosing an agent goes by.

-- +goose Up

-- Since when an agent on duty serves nobody, if they serve nobody; null before they first went on duty.
ALTER TABLE presence ADD COLUMN idle_since timestamptz;

-- Since when the agent has the conversation and has said nothing, in groups that take it back then; null otherwise.
ALTER TABLE conversation ADD COLUMN unanswered_since timestamptz;
-- Who had the conversation and lost it, because they did not answer in time.
ALTER TABLE conversation ADD COLUMN passed_by text[] NOT NULL DEFAULT '{}';
-- How much of the agent's capacity it takes, noted when it is assigned, so that as much is given back.
ALTER TABLE conversation ADD COLUMN weight integer NOT NULL DEFAULT 1 CHECK (weight > 0);

-- +goose Down
ALTER TABLE conversation DROP COLUMN weight;
ALTER TABLE conversation DROP COLUMN passed_by;
ALTER TABLE conversation DROP COLUMN unanswered_since;
ALTER TABLE presence DROP COLUMN idle_since;
