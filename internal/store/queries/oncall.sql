-- name: CallNotices :many
-- What the webhook was told last of each group.
SELECT * FROM call_notice;

-- name: CallNoticeClaim :execrows
-- 1 to the one router that is to make this attempt, 0 when another one has, or a later call is known.
INSERT INTO call_notice (skill_group, since, attempts, not_before) VALUES (@skill_group, @since, @attempts, @not_before)
ON CONFLICT (skill_group) DO UPDATE
    SET since = excluded.since, attempts = excluded.attempts, not_before = excluded.not_before, delivered = false
    WHERE call_notice.since < excluded.since
        OR call_notice.since = excluded.since AND call_notice.attempts = excluded.attempts - 1 AND NOT call_notice.delivered;

-- name: CallNoticeOutcome :exec
UPDATE call_notice SET delivered = @outcome::text = 'delivered', outcome = @outcome::text, code = @code WHERE skill_group = @skill_group AND since = @since;
