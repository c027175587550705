-- +goose Up
-- Out of the lists until then; 0: it is not. The lists' indexes leave such tickets out.
ALTER TABLE tickets ADD COLUMN snoozed_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tickets_snoozed ON tickets (snoozed_until) WHERE snoozed_until > 0;
DROP INDEX tickets_order;
DROP INDEX tickets_affiliate;
DROP INDEX tickets_assignee;
CREATE INDEX tickets_order ON tickets ((CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed' AND snoozed_until = 0;
CREATE INDEX tickets_affiliate ON tickets (affiliate, (CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed' AND snoozed_until = 0;
CREATE INDEX tickets_assignee ON tickets (assignee) WHERE state <> 'closed' AND snoozed_until = 0;
-- +goose Down
DROP INDEX tickets_assignee;
DROP INDEX tickets_affiliate;
DROP INDEX tickets_order;
DROP INDEX tickets_snoozed;
ALTER TABLE tickets DROP COLUMN snoozed_until;
CREATE INDEX tickets_order ON tickets ((CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed';
CREATE INDEX tickets_affiliate ON tickets (affiliate, (CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed';
CREATE INDEX tickets_assignee ON tickets (assignee) WHERE state <> 'closed';
