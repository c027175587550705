package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	prng "math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"faqbot/knowledge/sqldb"
)

//go:embed faq.csv
var faq []byte

const (
	// drainWithin is how long the service may take, once nobody kills it any more, to work off all
	// that customers wrote. Leases of the dead end within 20 s on Postgres, the desk looks once a
	// minute for who waits for a person without a ticket, and Meta has two minutes to tell of a send
	// that a kill left in doubt.
	drainWithin = 200 * time.Second
	// lastCalm is how long customers go on writing after the last kill.
	lastCalm = 2 * time.Second
)

// options say what to run.
type options struct {
	kills     int           // or runs, with another fault
	fault     string        // faultKill or another
	lasts     time.Duration // the fault, unless it is faultKill
	messages  int           // what customers do meanwhile
	parallel  int           // runs at the same time
	db        string        // dbSQLite or dbPostgres
	mode      string        // how the service hears, one of modes
	seed      uint64
	customers int
	binary    string // of the service
	dir       string // an empty folder for its files
	postgres  string // the DSN of a server in which databases may be made
	progress  io.Writer
}

// run kills the service o.kills times under load and checks what came of it. An error means that
// this could not be done; what the service did wrong is in the report.
func run(ctx context.Context, o options) (_ report, err error) {
	began := time.Now()
	dsn, drop, err := o.database(ctx)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	n, err := startNetwork(ctx, o.mode)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	log, err := newJournal(filepath.Join(o.dir, "log.jsonl"))
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, log.file.Close()) }()
	s := &service{binary: o.binary, dir: o.dir, dsn: dsn, apiURL: n.apiURL, hooksURL: n.hooksURL, account: n.fake.config, log: log}
	if err := s.publish(ctx); err != nil {
		return report{}, err
	}
	t := &trial{o: o, service: s, network: n}
	e, err := t.run(ctx)
	if err != nil {
		return report{}, err
	}
	r := check(e)
	r.Mode, r.DB, r.Fault, r.Seed, r.Took = o.mode, o.db, o.fault, o.seed, time.Since(began)
	return r, nil
}

// database makes the database and returns what drops it again.
func (o options) database(ctx context.Context) (dsn string, drop func() error, err error) {
	if o.db == dbSQLite {
		return filepath.Join(o.dir, "faqbot.db"), func() error { return nil }, nil
	}
	admin, err := sql.Open("pgx", o.postgres)
	if err != nil {
		return "", nil, fmt.Errorf("open Postgres: %w", err)
	}
	name := "crash_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", nil, errors.Join(fmt.Errorf("make a database: %w", err), admin.Close())
	}
	u, err := url.Parse(o.postgres)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the DSN in %s: %w", postgresEnv, err), admin.Close())
	}
	u.Path = "/" + name
	return u.String(), func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE `+name+` WITH (FORCE)`)
		return errors.Join(err, admin.Close())
	}, nil
}

// publish imports and publishes the FAQ.
func (s *service) publish(ctx context.Context) error {
	if err := s.configure(0); err != nil {
		return err
	}
	file := filepath.Join(s.dir, "faq.csv")
	if err := os.WriteFile(file, append(bytes.Clone(faq), longEntry()...), 0o600); err != nil {
		return fmt.Errorf("write the FAQ: %w", err)
	}
	_, err := s.tool(ctx, "import", file, "--affiliate", affiliate, "--publish")
	return err
}

// longEntry is a row whose answer takes several messages, so that a kill can fall between them.
func longEntry() []byte {
	var b bytes.Buffer
	b.WriteString("terms,What are the terms of the program?,Show me the terms and conditions,\"")
	for n := range 90 {
		fmt.Fprintf(&b, "Paragraph %d of the terms says that partners and the program are honest with each other, and what number %d means.\n\n", n+1, n+1)
	}
	b.WriteString("\",Rules\n")
	return b.Bytes()
}

// A trial is one run under load.
type trial struct {
	o       options
	service *service
	network *network
	book    book
	agent   *agent
	killer  *killer
	last    *life    // the one that nobody kills
	faults  []string // that were made, unless it was killed
}

// run lets customers and agents work while the service is killed, drains it and reads what is left.
func (t *trial) run(ctx context.Context) (e evidence, err error) {
	t.killer = &killer{service: t.service, network: t.network, mode: t.o.mode, r: t.random(1)}
	t.agent = &agent{service: t.service, book: &t.book, r: t.random(2), done: map[string]int{}}
	defer func() {
		if t.last != nil {
			t.last.kill()
		}
	}()
	load := t.load
	if t.o.fault != faultKill {
		load = t.loadWithFault
	}
	if err := load(ctx); err != nil {
		return evidence{}, err
	}
	db, err := sqldb.Open(ctx, t.service.dsn)
	if err != nil {
		return evidence{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stuck, err := t.drain(ctx, db)
	if err != nil {
		return evidence{}, err
	}
	took, stopErr := t.last.stop()
	if e, err = readEvidence(ctx, db); err != nil {
		return evidence{}, err
	}
	t.observe(&e)
	e.Stuck, e.StopTook = stuck, took
	if stopErr != nil {
		e.Odd = append(e.Odd, fmt.Sprintf("the service did not stop properly: %v", stopErr))
	}
	return e, nil
}

// random is a source of its own for each part, so that one does not disturb the other.
func (t *trial) random(part uint64) *prng.Rand {
	return prng.New(prng.NewPCG(t.o.seed, 1<<32+part))
}

// load kills the service under load. At the end it lives, and nobody writes any more.
func (t *trial) load(ctx context.Context) error {
	busy, quiet := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer quiet()
	for _, c := range newCustomers(t.o.customers, t.o.seed, t.network.fake, &t.book) {
		working.Go(func() { c.run(busy) })
	}
	working.Go(func() { t.agent.run(busy) })
	step := max(t.o.kills/10, 1)
	if err := t.killer.run(ctx, t.o.kills, func(done int) {
		if done%step == 0 {
			fmt.Fprintf(t.o.progress, "crash: %s, %s: %d of %d kills\n", t.o.db, t.o.mode, done, t.o.kills)
		}
	}); err != nil {
		return err
	}
	var err error
	if t.last, err = t.killer.begin(ctx); err != nil {
		return err
	}
	if err := t.killer.listening(ctx, t.last); err != nil {
		return err
	}
	pause(ctx, lastCalm)
	return ctx.Err()
}

// drain waits until all is worked off, and says what is not when its time is over.
func (t *trial) drain(ctx context.Context, db *sqldb.DB) (stuck []string, err error) {
	deadline := time.Now().Add(drainWithin)
	for {
		if stuck, err = waiting(ctx, db); err != nil {
			return nil, err
		}
		if n := t.network.fake.pending(); n > 0 {
			stuck = append(stuck, fmt.Sprintf("%d updates wait at the network", n))
		}
		if len(stuck) == 0 || time.Now().After(deadline) {
			return stuck, nil
		}
		select {
		case <-t.last.died:
			return nil, fmt.Errorf("the service ended by itself while it drained: %w", t.last.err)
		default:
		}
		if !pause(ctx, 100*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// observe adds to e what was seen from outside.
func (t *trial) observe(e *evidence) {
	e.Kills, e.Lives, e.Faults = t.killer.kills, t.killer.lives, t.faults
	e.Sayings, e.Replies = t.book.sayings, t.book.replies
	e.Accepted, e.OfferedAgain = t.network.fake.accepted(), t.network.again()
	e.AgentDone = t.agent.done
	e.Odd = append(append(e.Odd, t.killer.odd...), t.agent.odd...)
	for chat := range chatsOf(e.Sayings) {
		for _, a := range t.network.fake.sent(chat) {
			a.Life = t.network.life(a.ID)
			e.Arrivals = append(e.Arrivals, a)
		}
	}
	e.Odd = append(e.Odd, t.network.fake.odd()...)
	e.ConfirmsReceipts = t.o.mode == modeWhatsApp || t.o.mode == modeMessenger
	e.TapsApart = !e.ConfirmsReceipts
	log := t.service.log
	e.Leaks, e.Panics, e.Trouble = log.leaks, log.odd, log.trouble(12)
}
