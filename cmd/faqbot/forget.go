package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/handoff/console"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
)

// forgetCommand erases a customer, or exports them.
type forgetCommand struct {
	Who    string `arg:"" optional:"" help:"A conversation's ID, or the customer's address as faqbot desk show prints it: whatsapp/shop/4915112345678."`
	Export string `help:"Write all there is of the customer into this ZIP file, which must not exist." placeholder:"FILE" type:"path"`
	Yes    bool   `help:"Erase. Without it nothing is erased, and what would be is said."`
	List   bool   `help:"Print who was erased: the IDs of their conversations, for faqbot restore --erasures."`
}

func (cmd forgetCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error {
		st := store.New(db)
		if cmd.List {
			list, err := st.Erasures(ctx)
			for _, id := range list {
				fmt.Fprintln(term.out, id)
			}
			return err
		}
		if cmd.Who == "" {
			return errors.New("name the customer: a conversation's ID, or their address")
		}
		conv, err := findCustomer(ctx, st, cmd.Who)
		if err != nil {
			return err
		}
		desk, err := bareDesk(db, term)
		if err != nil {
			return err
		}
		if cmd.Export != "" {
			if err := exportCustomer(ctx, desk, conv, cmd.Export); err != nil {
				return err
			}
			fmt.Fprintf(term.out, "All there is of the customer is in %s.\n", cmd.Export)
		}
		if !cmd.Yes {
			return describeCustomer(ctx, st, conv, term)
		}
		if err := desk.Forget(ctx, conv.Customer); err != nil {
			return err
		}
		fmt.Fprintln(term.out, "The customer is erased. Backups made before still hold them until you delete those; faqbot restore erases them again.")
		return people.NewDirectory(db, people.Options{}).Record(ctx, people.Operator, console.ActionForget, "conversation "+string(conv.ID))
	})
}

// findCustomer finds a conversation by its ID, or by its address.
func findCustomer(ctx context.Context, st *store.Store, who string) (bot.Conversation, error) {
	parts := strings.SplitN(who, "/", 3)
	var conv bot.Conversation
	var err error
	if len(parts) == 3 {
		conv, err = st.Find(ctx, bot.Address{Channel: parts[0], Account: parts[1], Customer: parts[2]})
	} else {
		conv, err = st.Conversation(ctx, bot.ConversationID(who))
	}
	if errors.Is(err, bot.ErrNotFound) {
		return conv, fmt.Errorf("there is no customer %s: give a conversation's ID, from its page's address, or CHANNEL/ACCOUNT/CUSTOMER", who)
	}
	return conv, err
}

// bareDesk is a desk that reaches no network.
func bareDesk(db *sqldb.DB, term terminal) (*handoff.Desk, error) {
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	return handoff.NewDesk(db, newConversations(db, networks{accounts: bot.NewRegistry()}, nil, nil), phrases, newLogger(term.err), nil), nil
}

func exportCustomer(ctx context.Context, desk *handoff.Desk, conv bot.Conversation, path string) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(desk.Export(ctx, conv.Customer, out), out.Close())
}

// describeCustomer says what would be erased.
func describeCustomer(ctx context.Context, st *store.Store, conv bot.Conversation, term terminal) error {
	convs, err := st.OfCustomer(ctx, conv.Customer)
	if err != nil {
		return err
	}
	for _, c := range convs {
		said, err := st.Transcript(ctx, c.ID, 0)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%s  on %s, %d messages since %s\n", c.ID, bot.AccountKey(c.Address.Channel, c.Address.Account), len(said), c.OpenedAt.Local().Format("2 January 2006"))
	}
	fmt.Fprintln(term.out, "Nothing was erased. To erase all of it, run the same command with --yes: nobody can undo that.")
	return nil
}

// readErasures lists who was erased and must not come back: as the database that is replaced knows, and as file says.
func (r *restoring) readErasures(ctx context.Context, file string) (list []bot.ConversationID, err error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := bufio.NewScanner(strings.NewReader(string(text))); line.Scan(); {
			if id := strings.TrimSpace(line.Text()); id != "" {
				list = append(list, bot.ConversationID(id))
			}
		}
	}
	if dsn := string(r.c.Database.DSN); !sqldb.IsPostgres(dsn) {
		if info, err := os.Stat(dsn); err != nil || info.Size() == 0 { // opening it would make it
			return list, nil
		}
	}
	db, err := openRaw(ctx, r.c)
	if err != nil {
		return list, nil // it is damaged, or a newer build's: the file must tell
	}
	known, err := store.New(db).Erasures(ctx)
	if err != nil { // an older build's, or an empty one: nobody was erased
		known = nil
	}
	return append(list, known...), db.Close()
}

// eraseAgain erases those of list whom the backup has brought back.
func (r *restoring) eraseAgain(ctx context.Context, list []bot.ConversationID) error {
	if len(list) == 0 {
		return nil
	}
	db, err := openDB(ctx, r.c)
	if err != nil {
		return err
	}
	n := 0
	desk, err := bareDesk(db, terminal{out: r.out, err: r.out})
	if err == nil {
		err = store.New(db).NoteErasures(ctx, list, time.Now())
	}
	if err == nil {
		n, err = desk.ForgetAgain(ctx)
	}
	if errors.Is(err, store.ErrUnread) {
		fmt.Fprintln(r.out, "Something that names an erased customer is yet to be read: faqbot serve reads it, and erases them within an hour.")
		err = nil
	}
	if err == nil && n > 0 {
		fmt.Fprintf(r.out, "Erased again: %d conversations of customers who had been erased since the backup.\n", n)
	}
	return errors.Join(err, db.Close())
}
