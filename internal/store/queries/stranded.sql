-- name: Stranded :one
-- How many conversations wait in a group that is none of these, or in no group: nobody works off their queue.
SELECT ((SELECT count(*) FROM conversation q WHERE q.state = 'queued' AND NOT q.skill_group = ANY(@groups::text[]))
    + (SELECT count(*) FROM conversation a WHERE a.state = 'awaiting_opening' AND NOT a.skill_group = ANY(@groups::text[])))::bigint AS stranded;
