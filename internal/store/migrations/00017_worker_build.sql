-- Which build of the workflow worker the Brand was set up for last: of several that run side by side in a deploy, this one gets the cases.

-- +goose Up
CREATE TABLE IF NOT EXISTS worker_build (
    -- One row.
    sole  boolean PRIMARY KEY DEFAULT true CHECK (sole),
    build text    NOT NULL,
    -- Counts the changes: back to a build of before is one, too.
    turn  bigint  NOT NULL DEFAULT 1
);

-- +goose Down
DROP TABLE worker_build;
