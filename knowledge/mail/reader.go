package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/sirupsen/logrus"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

const (
	// sinceWhen is how old a mail may be in a mailbox that is read for the first time.
	sinceWhen = 7 * 24 * time.Hour
	// lookTimeout is how long one look into the mailbox may take.
	lookTimeout = 2 * time.Minute
	// perLook is how many mails are read at one look.
	perLook = 50
)

// ReaderOptions are what a Reader is told of the rest. All but Every are required.
type ReaderOptions struct {
	// Take takes a mail. One that it does not know is none of ours, and stays as it is in the mailbox; one that failed
	// for the database's sake is read again.
	Take  func(context.Context, Received) (ours bool, err error)
	Mark  string // see Parse
	Log   logrus.FieldLogger
	Every time.Duration // between two looks; 20 s if 0
}

// A Reader reads a mailbox by IMAP.
type Reader struct {
	db       *sqldb.DB
	settings Settings
	o        ReaderOptions
}

// NewReader returns the reader of the settings' mailbox, which keeps in db how far it has read.
func NewReader(db *sqldb.DB, s Settings, o ReaderOptions) *Reader {
	if o.Every == 0 {
		o.Every = 20 * time.Second
	}
	return &Reader{db: db, settings: s, o: o}
}

// Run reads what comes, until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	well := true
	for ctx.Err() == nil {
		more := false
		err := guard.Run(func() (err error) { more, err = r.look(ctx); return err })
		guard.Log(r.o.Log, "reading the mailbox", err)
		if err != nil && ctx.Err() == nil && well {
			r.o.Log.WithError(err).Error("the mailbox cannot be read; it is tried again")
		}
		if err == nil && !well {
			r.o.Log.Info("the mailbox is read again")
		}
		well = err == nil
		if more && well {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.o.Every):
		}
	}
	return ctx.Err()
}

// look reads what came since the last look; more reports whether there is more.
func (r *Reader) look(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	client, box, err := r.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = client.Close() }() // all was read by then, or the error says more
	last, err := r.last(ctx, int64(box.UIDValidity))
	if err != nil {
		return false, err
	}
	what := &imap.SearchCriteria{Since: time.Now().Add(-sinceWhen)}
	if last > 0 {
		what = &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(last + 1)}}}}
	}
	found, err := client.UIDSearch(what, nil).Wait()
	if err != nil {
		return false, fmt.Errorf("search the mailbox: %w", err)
	}
	uids := found.AllUIDs()
	for i, uid := range uids {
		if i == perLook {
			return true, nil
		}
		if int64(uid) <= last { // "n:*" always has the last one
			continue
		}
		if err := r.read(ctx, client, uid); err != nil {
			return false, err
		}
		if err := r.keep(ctx, int64(box.UIDValidity), int64(uid)); err != nil {
			return false, err
		}
	}
	return false, nil
}

// open signs in and opens the mailbox. What waits for the server ends with ctx.
func (r *Reader) open(ctx context.Context) (*imapclient.Client, *imap.SelectData, error) {
	client, err := r.dial()
	if err != nil {
		return nil, nil, fmt.Errorf("reach the mailbox: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = client.Close() })
	var box *imap.SelectData
	if err = client.Login(r.settings.IMAPUser, r.settings.IMAPPassword).Wait(); err != nil {
		err = fmt.Errorf("sign in to the mailbox: %w", err)
	} else if box, err = client.Select("INBOX", nil).Wait(); err != nil {
		err = fmt.Errorf("open the mailbox: %w", err)
	}
	if err != nil {
		_ = client.Close() // the first error says more
	}
	return client, box, err
}

// Check opens the mailbox to see whether it can be read.
func (r *Reader) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	client, _, err := r.open(ctx)
	if err != nil {
		return err
	}
	return client.Close()
}

func (r *Reader) dial() (*imapclient.Client, error) {
	host, _, err := net.SplitHostPort(r.settings.IMAP)
	if err != nil {
		return nil, err
	}
	o := &imapclient.Options{Dialer: &net.Dialer{Timeout: dialTimeout}, TLSConfig: &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}}
	switch r.settings.IMAPSecurity {
	case TLS:
		return imapclient.DialTLS(r.settings.IMAP, o)
	case Plain:
		return imapclient.DialInsecure(r.settings.IMAP, o)
	}
	return imapclient.DialStartTLS(r.settings.IMAP, o)
}

// read takes one mail. What cannot be understood is left where it is, for people to see.
func (r *Reader) read(ctx context.Context, client *imapclient.Client, uid imap.UID) error {
	log := r.o.Log.WithField("uid", uint32(uid))
	set := imap.UIDSetNum(uid)
	sizes, err := client.Fetch(set, &imap.FetchOptions{RFC822Size: true}).Collect()
	if err != nil || len(sizes) == 0 {
		return err // with no error it was removed meanwhile
	}
	if sizes[0].RFC822Size > MaxSize {
		log.WithField("bytes", sizes[0].RFC822Size).Warn("a mail is too large to be read; it stays in the mailbox")
		return nil
	}
	body := &imap.FetchItemBodySection{Peek: true}
	list, err := client.Fetch(set, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{body}}).Collect()
	if err != nil || len(list) == 0 {
		return err
	}
	var mail Received
	err = guard.Run(func() (err error) {
		mail, err = Parse(bytes.NewReader(list[0].FindBodySection(body)), r.o.Mark)
		return err
	})
	if errors.Is(err, ErrAutomatic) {
		return nil
	}
	if err != nil {
		guard.Log(log, "reading a mail", err)
		log.Warn("a mail cannot be understood; it stays in the mailbox")
		return nil
	}
	if mail.ID == "" {
		mail.ID = fmt.Sprintf("%s/%d", r.settings.IMAPUser, uid)
	}
	ours, err := r.o.Take(ctx, mail)
	if err != nil && (sqldb.Unavailable(err) || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		log.WithError(err).Error("a mail cannot be taken; it stays in the mailbox")
		return nil
	}
	if !ours {
		return nil
	}
	return client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}, Silent: true}, nil).Close()
}

// last is the UID of the last mail that was read, 0 if the mailbox is new or was made anew.
func (r *Reader) last(ctx context.Context, validity int64) (last int64, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT last FROM mailboxes WHERE name = $1 AND validity = $2`, r.name(), validity).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

func (r *Reader) keep(ctx context.Context, validity, last int64) error {
	_, err := r.db.Change(ctx, `INSERT INTO mailboxes (name, validity, last) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET validity = excluded.validity, last = excluded.last`, r.name(), validity, last)
	return err
}

func (r *Reader) name() string { return r.settings.IMAPUser + "@" + r.settings.IMAP }
