-- name: ClaimTake :exec
INSERT INTO claim (brand) VALUES (@brand) ON CONFLICT DO NOTHING;

-- name: ClaimHolder :one
SELECT brand FROM claim;
