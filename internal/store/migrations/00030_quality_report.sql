-- What conversations of some weeks were about, as internal/domain/quality counts it.

-- +goose Up
CREATE TABLE IF NOT EXISTS quality_report (
    -- The week's, as 2026-W47, or 2026-W47-13w of so many weeks that end with it.
    name    text        PRIMARY KEY,
    report  jsonb       NOT NULL,
    made_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE quality_report;
