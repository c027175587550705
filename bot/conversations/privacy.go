package conversations

import (
	"context"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/knowledge"
)

// Erase removes a customer, with the rows of other packages that also selects.
func (c *Service) Erase(ctx context.Context, customer bot.CustomerID, also store.RowsOf) error {
	return c.store.Erase(ctx, customer, also, c.o.Now())
}

// EraseAgain erases what a restored backup has brought back, and returns how many conversations that were.
func (c *Service) EraseAgain(ctx context.Context, also store.RowsOf) (int, error) {
	return c.store.EraseAgain(ctx, also)
}

// Expired lists conversations in which there may be something that was kept for long enough.
func (c *Service) Expired(ctx context.Context, keep func(knowledge.AffiliateID) time.Duration) ([]store.Expiry, error) {
	return c.store.Expired(ctx, keep, c.o.Now())
}

// Empty empties what was said in a conversation before e.Before; also does the same for other packages' tables.
func (c *Service) Empty(ctx context.Context, e store.Expiry, also store.Change) error {
	return c.store.Empty(ctx, e, also)
}
