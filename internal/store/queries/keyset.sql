-- name: KeysetAdd :exec
INSERT INTO keyset (content, wrapped) VALUES (@content, @wrapped) ON CONFLICT DO NOTHING;

-- name: KeysetGet :one
SELECT * FROM keyset;

-- name: KeysetLock :one
SELECT * FROM keyset FOR UPDATE;

-- name: KeysetReplace :exec
UPDATE keyset SET content = @content, wrapped = @wrapped;
