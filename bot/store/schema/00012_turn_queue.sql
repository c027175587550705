-- +goose Up
-- The queue of turns: one row for each conversation. Turns claim, renew and give back this row alone, so that the
-- conversation's row, which is wide and in several indexes, is not written anew for that.
--
-- Locks are taken in one order: the row in conversations first, then the one here. Only a claim takes this one alone,
-- and then takes none in conversations. All of the queue is decided from columns that were read after the lock: on
-- Postgres a sub-select on messages would not see what was accepted while the row was waited for.
CREATE TABLE turn_queue (
    conversation_id TEXT PRIMARY KEY REFERENCES conversations (id),
    waiting_seq     BIGINT NOT NULL DEFAULT 0, -- last message that wants an answer
    waiting_from    BIGINT NOT NULL DEFAULT 0, -- no message before it waits
    waiting_since   BIGINT NOT NULL DEFAULT 0, -- when the first one of them came, 0 if none waits
    due_at          BIGINT NOT NULL DEFAULT 0, -- 0: no turn is due
    held_until      BIGINT NOT NULL DEFAULT 0, -- the turn waits until then for what is said in a voice note to be known
    lease_until     BIGINT NOT NULL DEFAULT 0,
    fence           BIGINT NOT NULL DEFAULT 0, -- only grows
    attempt         BIGINT NOT NULL DEFAULT 0
);
INSERT INTO turn_queue (conversation_id, waiting_seq, waiting_from, waiting_since, due_at, held_until, lease_until, fence, attempt)
    SELECT id, waiting_seq, waiting_from, waiting_since, turn_due_at, held_until, lease_until, fence, attempt FROM conversations;
CREATE INDEX turn_queue_due ON turn_queue (due_at) WHERE due_at > 0;
DROP INDEX conversations_due;
ALTER TABLE conversations DROP COLUMN waiting_seq;
ALTER TABLE conversations DROP COLUMN waiting_from;
ALTER TABLE conversations DROP COLUMN waiting_since;
ALTER TABLE conversations DROP COLUMN turn_due_at;
ALTER TABLE conversations DROP COLUMN held_until;
ALTER TABLE conversations DROP COLUMN lease_until;
ALTER TABLE conversations DROP COLUMN fence;
ALTER TABLE conversations DROP COLUMN attempt;
