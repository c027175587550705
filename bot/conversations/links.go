package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/bot/store"
)

// A Destination is where a customer may go on.
type Destination struct {
	Key     string // AccountKey
	Channel string
}

// ErrNoLink means that the customer cannot go on there.
var ErrNoLink = errors.New("no link leads there")

// Destinations are the accounts of the same affiliate at which conv's customer may go on, in order:
// those of channels that a link leads to and that they have not written on yet.
func (c *Service) Destinations(ctx context.Context, conv bot.Conversation) ([]Destination, error) {
	if !c.o.LinkKey.Ready() {
		return nil, nil
	}
	var list []Destination
	for key, served := range c.accounts.All() {
		_, leads := served.Channel.(bot.Linker)
		if leads && served.Account.Owner() == conv.Affiliate && served.Account.Channel != conv.Address.Channel {
			list = append(list, Destination{Key: key, Channel: served.Account.Channel})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	have, err := c.OfCustomer(ctx, conv.Customer)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(d Destination) bool {
		return slices.ContainsFunc(have, func(h bot.Conversation) bool { return h.Address.Channel == d.Channel })
	})
	slices.SortFunc(list, func(a, b Destination) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// Link makes a link by which the customer of a conversation goes on at the account of that key, and
// whoever opens it there is the same customer. agent offers it, "" if the customer asked by themself.
// Where no link leads it is ErrNoLink.
func (c *Service) Link(ctx context.Context, id bot.ConversationID, key, agent string) (address string, err error) {
	conv, err := c.Get(ctx, id)
	if err != nil {
		return "", err
	}
	may, err := c.Destinations(ctx, conv)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(may, func(d Destination) bool { return d.Key == key }) {
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	code := store.NewLinkCode(c.o.LinkKey, key)
	if code == "" { // the keys have just gone
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	served := c.accounts.All()[key]
	linker, ok := served.Channel.(bot.Linker)
	if !ok {
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	if address, err = linker.Link(ctx, store.LinkGreeting, code); err != nil {
		return "", fmt.Errorf("link to %s: %w", key, err)
	}
	if err := c.store.SaveLink(ctx, code, id, served.Account, agent, c.o.Now()); err != nil {
		return "", err
	}
	return address, nil
}
