-- name: KeysetAdd :exec
INSERT INTO keyset (content, wrapped) VALUES (@content, @wrapped) ON CONFLICT DO NOTHING;

-- name: KeysetGet :one
SELECT * FROM keyset;

-- name: KeysetLock :one
SELECT * FROM keyset FOR UPDATE;

-- name: KeysetReplace :exec
UPDATE keyset SET content = @content, wrapped = @wrapped;

-- KeysetComing keeps the keyset with a key more, which is to encrypt next.
-- name: KeysetComing :exec
UPDATE keyset SET content = @content, revision = revision + 1, next_key = @next_key::bigint, next_made_at = @made_at::timestamptz;

-- KeysetTurn keeps the keyset in which the next key encrypts.
-- name: KeysetTurn :exec
UPDATE keyset SET content = @content, revision = revision + 1, made_at = next_made_at, next_key = NULL, next_made_at = NULL;

-- name: KeysetRead :exec
INSERT INTO keyset_reader (name, revision, seen_at) VALUES (@name, @revision, @seen_at)
ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, seen_at = excluded.seen_at;

-- KeysetBehind are the replicas, seen since then, that have an older revision.
-- name: KeysetBehind :many
SELECT name FROM keyset_reader WHERE revision < @revision AND seen_at > @since ORDER BY name;

-- name: KeysetForget :exec
DELETE FROM keyset_reader WHERE seen_at <= @since;
