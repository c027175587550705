package handoff

import (
	"context"
	"errors"

	"faqbot/bot"
)

// Contact keeps an e-mail address that a customer who waits for a person left, as a note on their
// ticket. The same address twice is kept once; without a ticket it is ErrNotFound.
func (d *Desk) Contact(ctx context.Context, c bot.ConversationID, email string) error {
	if email == "" {
		return errors.New("contact: no address was given")
	}
	t, err := d.current(ctx, c)
	if err != nil {
		return err
	}
	return d.store.note(ctx, t.ID, "email:"+email, Note{Text: "The customer left an e-mail address: " + email, At: d.now()})
}

// Remark notes text on the ticket of a conversation, once for each key; without a ticket it is bot.ErrNotFound.
func (d *Desk) Remark(ctx context.Context, c bot.ConversationID, key, text string) error {
	t, err := d.current(ctx, c)
	if errors.Is(err, ErrNotFound) {
		return bot.ErrNotFound
	}
	if err != nil {
		return err
	}
	return d.store.note(ctx, t.ID, key, Note{Text: text, At: d.now()})
}
