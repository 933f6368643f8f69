-- Whose database it is: two Brands in one would take each other's work.

-- +goose Up
CREATE TABLE claim (
    -- One row.
    sole  boolean PRIMARY KEY DEFAULT true CHECK (sole),
    -- <namespace>/<name> of the Brand.
    brand text    NOT NULL
);

-- +goose Down
DROP TABLE claim;
