-- name: WorkerBuildDeclare :exec
INSERT INTO worker_build (build) VALUES (@build)
ON CONFLICT (sole) DO UPDATE SET build = excluded.build, turn = worker_build.turn + 1 WHERE worker_build.build <> excluded.build;

-- name: WorkerBuildDeclared :one
SELECT * FROM worker_build;
