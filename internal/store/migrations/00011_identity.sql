-- What each contact lets us send, who customers are, and the menus that are published. Some indexes are of tables that grow for
-- ever: made while the routers and desks of before go on writing. One whose making was cut short stays, and is of no use to
-- anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE quota
    -- How many messages the grants of window_ends and session_ends were of.
    ADD COLUMN IF NOT EXISTS granted integer NOT NULL DEFAULT 5,
    ADD COLUMN IF NOT EXISTS session_granted integer NOT NULL DEFAULT 2,
    -- The end of the window of which agents were warned last; null before the first time.
    ADD COLUMN IF NOT EXISTS warned_ends timestamptz;

-- Who a contact is to the platform. The router asks, connectors ask the platform, the router takes in what they were told.
CREATE TABLE IF NOT EXISTS profile (
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    -- wanted: a connector is to ask; told: the router is to take it in; known: it has; failed: given up, with the reason.
    state       text        NOT NULL CHECK (state IN ('wanted', 'told', 'known', 'failed')),
    -- What the customer's login is redeemed with, once and within minutes; '' without one.
    login_code  text        NOT NULL DEFAULT '',
    -- Who it is in all accounts of one owner; '' while nobody knows.
    union_id    text        NOT NULL DEFAULT '',
    -- Since when they follow and how they came to; null for who does not.
    subscribed_at   timestamptz,
    subscribe_scene text    NOT NULL DEFAULT '',
    attempts    integer     NOT NULL DEFAULT 0,
    not_before  timestamptz,
    reason      text        NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, external_id)
);
CREATE INDEX IF NOT EXISTS profile_wanted ON profile (channel, not_before) WHERE state = 'wanted';
CREATE INDEX IF NOT EXISTS profile_told ON profile (updated_at) WHERE state = 'told';

-- Which customer somebody is, whatever the Channel: who has the row first decides.
CREATE TABLE IF NOT EXISTS person (
    union_id    text PRIMARY KEY,
    customer_id uuid NOT NULL
);

-- The conversations of one customer, whatever the Channel.
DROP INDEX CONCURRENTLY IF EXISTS conversation_customer;
CREATE INDEX CONCURRENTLY conversation_customer ON conversation (customer_id, opened_at DESC);

-- Where one customer is known.
DROP INDEX CONCURRENTLY IF EXISTS contact_customer;
CREATE INDEX CONCURRENTLY contact_customer ON contact (customer_id);

-- The menus of Channels. One connector at a time looks after one.
CREATE TABLE IF NOT EXISTS menu (
    channel     text        PRIMARY KEY,
    -- The Channel whose menu it is, and its generation.
    uid         text        NOT NULL,
    generation  bigint      NOT NULL,
    -- A digest of the menu that we published last; '' when none at the platform is ours.
    published   text        NOT NULL DEFAULT '',
    -- How the last look ended; '' before the first.
    state       text        NOT NULL DEFAULT '',
    code        integer     NOT NULL DEFAULT 0,
    -- Menus of the account that only some customers see, and that are not ours.
    others      integer     NOT NULL DEFAULT 0,
    -- When it is looked at again.
    check_after timestamptz NOT NULL
);

-- +goose Down
DROP TABLE IF EXISTS menu;
DROP INDEX CONCURRENTLY IF EXISTS contact_customer;
DROP INDEX CONCURRENTLY IF EXISTS conversation_customer;
DROP TABLE IF EXISTS person;
DROP TABLE IF EXISTS profile;
ALTER TABLE quota DROP COLUMN IF EXISTS warned_ends, DROP COLUMN IF EXISTS session_granted, DROP COLUMN IF EXISTS granted;
