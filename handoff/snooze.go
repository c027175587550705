package handoff

import (
	"context"
	"fmt"
	"time"
)

// Snooze puts agent's ticket out of the lists until then, or back if that is not in the future. A ticket that nobody has
// becomes agent's. It comes back by itself, and at once if the customer writes or a reply does not arrive. What was
// promised to the customer stays as it is. Errors: ErrNotFound, ErrTaken, ErrClosed.
func (d *Desk) Snooze(ctx context.Context, id TicketID, agent AgentID, until time.Time) error {
	if err := d.Take(ctx, id, agent, false); err != nil {
		return err
	}
	if !until.After(d.now()) {
		return d.store.wake(ctx, id, d.now())
	}
	_, err := d.store.exec(ctx, `UPDATE tickets SET snoozed_until = $2, changes = changes + 1, changed_at = $3
		WHERE id = $1 AND state <> 'closed'`, id, until.UnixMilli(), d.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("snooze ticket %s: %w", id, err)
	}
	return nil
}

// wake puts a ticket back into the lists.
func (s *store) wake(ctx context.Context, id TicketID, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE tickets SET snoozed_until = 0, changes = changes + 1, changed_at = $2
		WHERE id = $1 AND snoozed_until > 0`, id, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("wake ticket %s: %w", id, err)
	}
	return nil
}

// wakeDue puts those tickets back into the lists whose time has come.
func (s *store) wakeDue(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE tickets SET snoozed_until = 0, changes = changes + 1, changed_at = $1
		WHERE snoozed_until > 0 AND snoozed_until <= $1`, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("wake tickets: %w", err)
	}
	return nil
}
