package inbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/media"
)

const (
	// profilesAtOnce is how many customers are asked for at once: nobody waits for it.
	profilesAtOnce = 2
	// profileTimeout bounds asking for one, with the picture.
	profileTimeout = 30 * time.Second
	// maxPicture is the most bytes of a profile picture. Networks' own have some ten thousand.
	maxPicture = 1 << 20
)

// askProfiles asks networks what customers are called and look like, beside everything else, until ctx ends.
func (in *Intake) askProfiles(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(profilesAtOnce)
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case to := <-in.profiles:
			g.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, profileTimeout)
				defer cancel()
				if err := guard.Run(func() error { return in.askProfile(ctx, to) }); err != nil && ctx.Err() == nil {
					in.log.WithFields(logrus.Fields{"channel": to.Channel, "account": to.Account}).WithError(err).Debug("cannot ask who a customer is")
				}
				return nil
			})
		}
	}
}

// askProfile asks who the customer of an address is, once in store.ProfileEvery, whatever comes of it.
func (in *Intake) askProfile(ctx context.Context, to bot.Address) error {
	channel := in.accounts.Channel(to.Key())
	asker, ok := channel.(bot.Profiler)
	if !ok {
		return nil
	}
	id, err := in.store.ClaimProfile(ctx, to, in.now())
	if id == "" || err != nil {
		return err
	}
	told, err := asker.Profile(ctx, to.Customer)
	if err != nil {
		return err
	}
	p := store.Profile{Name: cutName(store.CleanText(told.Name))}
	if told.Picture.File != "" && in.shelf != nil {
		if p.Picture, err = in.keepPicture(ctx, channel, to, told.Picture); err != nil {
			return errors.Join(err, in.store.StoreProfile(ctx, id, store.Profile{Name: p.Name, KeepPicture: true}, in.now()))
		}
	}
	return in.store.StoreProfile(ctx, id, p, in.now())
}

// keepPicture fetches a profile picture and returns its ID, "" for one that is not taken.
func (in *Intake) keepPicture(ctx context.Context, channel bot.Channel, of bot.Address, a bot.Attachment) (string, error) {
	fetcher, ok := channel.(bot.Fetcher)
	if !ok {
		return "", nil
	}
	r, err := fetcher.Fetch(ctx, a)
	if errors.Is(err, bot.ErrNoFile) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxPicture+1))
	_ = r.Close() // what counts has been read
	if err != nil || len(data) > maxPicture {
		return "", err
	}
	account, _ := in.accounts.Account(of.Key())
	b, err := in.shelf.Put(ctx, "", bytes.NewReader(data), media.Owner{Visitor: of.Key() + "/" + of.Customer, Account: of.Key(), Affiliate: string(account.Owner())})
	for _, not := range []error{media.ErrType, media.ErrQuota, media.ErrDisk} {
		if errors.Is(err, not) {
			return "", nil
		}
	}
	if err != nil || !b.Image() {
		return "", err
	}
	return b.ID, nil
}
