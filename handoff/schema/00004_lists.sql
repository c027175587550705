-- +goose Up
-- The order of the list of open tickets, see look.go: of all, and of one affiliate's. So that a page of it, and the
-- counts beside it, take as long with ten thousand tickets as with a hundred.
CREATE INDEX tickets_order ON tickets ((CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed';
CREATE INDEX tickets_affiliate ON tickets (affiliate, (CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END), (CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END), due_at, id) WHERE state <> 'closed';
CREATE INDEX tickets_assignee ON tickets (assignee) WHERE state <> 'closed';
CREATE INDEX tickets_closed ON tickets (closed_at, id) WHERE state = 'closed';
DROP INDEX tickets_due;
-- +goose Down
CREATE INDEX tickets_due ON tickets (due_at) WHERE state <> 'closed';
DROP INDEX tickets_closed;
DROP INDEX tickets_assignee;
DROP INDEX tickets_affiliate;
DROP INDEX tickets_order;
