-- The order of each route's part of a queue: those who came by routes for which no agent is free are passed over, however many
-- they are. Made while routers and desks go on writing. One whose making was cut short is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS conversation_route;
CREATE INDEX CONCURRENTLY conversation_route ON conversation (skill_group, channel, routing_rule, (coalesce(queue_key, queued_at)), id) WHERE state = 'queued';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS conversation_route;
