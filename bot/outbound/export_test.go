package outbound

import (
	"context"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
)

// What tests of this package call beside its API.

func AsLink(r bot.Reply, l bot.Limits) (bot.Reply, bool) { return asLink(r, l) }

func (c *Courier) Carry(ctx context.Context, d store.Delivery) { c.deliver(ctx, d) }

func (c *Courier) Claim(ctx context.Context) (store.Delivery, time.Time, bool, error) {
	return c.claimDelivery(ctx)
}

func (c *Courier) Judge(d store.Delivery, err *bot.SendError, l bot.Limits) store.DeliveryResult {
	return c.judge(d, err, l)
}

func (c *Courier) Hold(id bot.DeliveryID) { c.claimed[id] = true }

func (c *Courier) LetGo(id bot.DeliveryID) { c.unclaim(id) }
