-- name: ComplaintOpen :one
-- No row when the complaint exists already. The nil id is no conversation.
INSERT INTO complaint (id, conversation_id, channel, external_id, skill_group, state, opened_at)
VALUES (@id, nullif(@conversation_id::uuid, '00000000-0000-0000-0000-000000000000'), @channel, @external_id, @skill_group, 'open', @opened_at)
ON CONFLICT (id) DO NOTHING
RETURNING *;

-- name: ComplaintGet :one
SELECT * FROM complaint WHERE id = @id;

-- name: ComplaintOfConversation :one
SELECT * FROM complaint WHERE conversation_id = @conversation_id::uuid ORDER BY opened_at DESC LIMIT 1;

-- name: ComplaintAcknowledge :one
-- No row when the complaint was acknowledged before.
UPDATE complaint SET acknowledged_at = @at::timestamptz WHERE id = @id AND acknowledged_at IS NULL
RETURNING *;

-- name: ComplaintEscalate :one
-- No row when that rung was climbed before or the complaint is resolved.
UPDATE complaint SET state = 'escalated', rung = @rung, escalated_to = @escalated_to, escalated_at = @at::timestamptz
WHERE id = @id AND rung < @rung AND state IN ('open', 'escalated')
RETURNING *;

-- name: ComplaintResolve :one
-- No row when the process has done it before. Where a desk has written how the complaint ended, its word stays and the day
-- of the follow-up is added.
UPDATE complaint SET state = 'resolved',
    resolved_at = CASE state WHEN 'resolved' THEN resolved_at ELSE @resolved_at::timestamptz END,
    resolved_by = CASE state WHEN 'resolved' THEN resolved_by ELSE @resolved_by::text END,
    resolution = CASE state WHEN 'resolved' THEN resolution ELSE @resolution::text END,
    follow_up_due = @follow_up_due::timestamptz
WHERE id = @id AND (state IN ('open', 'escalated') OR (state = 'resolved' AND follow_up_due IS NULL))
RETURNING *;

-- name: ComplaintFollowUpOverdue :one
-- No row when it was marked before or the customer was asked.
UPDATE complaint SET follow_up_overdue = true WHERE id = @id AND state = 'resolved' AND NOT follow_up_overdue
RETURNING *;

-- name: ComplaintFollowUp :one
-- No row when the customer was asked before.
UPDATE complaint SET state = 'followed_up', followed_up_at = @at::timestamptz WHERE id = @id AND state = 'resolved'
RETURNING *;
