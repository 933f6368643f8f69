-- What has come of a video while a customer sends it with a form: it is put together when all of it is here.

-- +goose Up
CREATE TABLE IF NOT EXISTS media_piece (
    media      uuid        NOT NULL,
    number     integer     NOT NULL,
    data       bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (media, number)
);

-- +goose Down
DROP TABLE media_piece;
