package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"faqbot/bot/store"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// keyCommand looks after the key of the secrets.
type keyCommand struct {
	Rotate keyRotate `cmd:"" help:"Replace the key of the secrets and the signing keys by new ones. Nobody is signed out. Works beside a running server."`
	Reset  keyReset  `cmd:"" help:"Begin anew after the key of the secrets was lost: forgets added accounts, and the web chat's visitors."`
}

type keyRotate struct {
	SignOut bool `name:"sign-out" help:"Forget the old signing keys at once, as after a theft: visitors of the web chat begin anew, and links to files end."`
}

type keyReset struct{}

// withKeys opens the database and the keyring for one command.
func withKeys(ctx context.Context, cli *commands, do func(config, *sqldb.DB, *people.Keyring) error) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error { return do(c, db, newKeyring(c, db)) })
}

func (cmd keyRotate) Run(ctx context.Context, cli *commands, term terminal) error {
	return withKeys(ctx, cli, func(c config, db *sqldb.DB, keys *people.Keyring) error {
		if err := keys.Reload(ctx); err != nil { // before the file changes
			return err
		}
		file := !strings.HasPrefix(c.keyFile(), "env:")
		if file {
			if err := vault.AddKey(c.keyFile()); err != nil {
				return err
			}
		}
		v, err := vault.Load(c.keyFile())
		if err != nil {
			return err
		}
		if err := store.New(db).ResealAccounts(ctx, v); err != nil {
			return err
		}
		if err := keys.Rotate(ctx, cmd.SignOut); err != nil {
			return err
		}
		if file {
			fmt.Fprintf(term.out, "There is a new key in %s. It holds the one before, too, which opens older backups.\nBack it up, apart from the database, and give it to every machine that serves this database.\n", c.keyFile())
		} else {
			fmt.Fprintf(term.out, "All is sealed with the first key in %s. To replace that one too, put a new key, as `openssl rand -base64 %d` makes them, and a space before it, and run this again.\n", c.keyFile(), vault.KeySize)
		}
		fmt.Fprintln(term.out, "The signing keys are new. Running services follow within a minute.")
		return nil
	})
}

func (keyReset) Run(ctx context.Context, cli *commands, term terminal) error {
	return withKeys(ctx, cli, func(c config, db *sqldb.DB, keys *people.Keyring) error {
		err := keys.Reload(ctx)
		switch {
		case err == nil:
			return fmt.Errorf("the key in %s fits: nothing need be forgotten", c.keyFile())
		case !errors.Is(err, vault.ErrNoKey) && !errors.Is(err, vault.ErrSealed):
			return err
		}
		store := store.New(db)
		list, err := store.AddedAccounts(ctx)
		if err != nil {
			return err
		}
		for _, a := range list {
			if _, err := store.DropAccount(ctx, a.Channel, a.ID); err != nil {
				return err
			}
			fmt.Fprintf(term.out, "Forgotten: %s. Add it again: faqbot channel add %s --id %s\n", a.Key(), a.Channel, a.ID)
		}
		if err := keys.Forget(ctx); err != nil {
			return err
		}
		if err := keys.Reload(ctx); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "There are new signing keys, sealed with the key in %s. Back it up.\n", c.keyFile())
		return nil
	})
}
