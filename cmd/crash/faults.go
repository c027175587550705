package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"faqbot/bot/graphapi/graphtest"
)

// What goes wrong in a run.
const (
	faultKill    = "kill"    // the service is killed
	faultLock    = "lock"    // another process holds the database
	faultOutage  = "outage"  // the network answers nothing but errors, or not at all
	faultPause   = "pause"   // Postgres stands still
	faultRestart = "restart" // Postgres is restarted, again and again
)

// taken is of how many messages that the fake network answers with an error it carries out one all the same.
const taken = 10

// checkFault refuses a fault that cannot be made.
func (o options) checkFault(modes []string) error {
	switch o.fault {
	case faultKill, faultLock:
		return nil
	case faultOutage:
		if slices.ContainsFunc(modes, func(m string) bool { return m != modeWhatsApp && m != modeMessenger }) {
			return errors.New("-fault outage: use -mode whatsapp,messenger")
		}
		return nil
	case faultPause, faultRestart:
		if o.db != dbPostgres {
			return fmt.Errorf("-fault %s: use -db postgres", o.fault)
		}
		return nil
	}
	return fmt.Errorf("-fault %s: use kill, lock, outage, pause or restart", o.fault)
}

// loadWithFault lets customers write while the fault lasts, and a while after it. The service lives all the time.
func (t *trial) loadWithFault(ctx context.Context) (err error) {
	if t.last, err = t.killer.begin(ctx); err != nil {
		return err
	}
	if err := t.killer.listening(ctx, t.last); err != nil {
		return err
	}
	busy, quiet := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer quiet()
	// A customer does about one thing in 0.7 s; what they do is spread over the fault.
	slow := time.Duration(t.o.lasts.Seconds() * float64(t.o.customers) / 0.7 / float64(t.o.messages))
	for _, c := range newCustomers(t.o.customers, t.o.seed, t.network.fake, &t.book) {
		c.slow, c.most = max(slow, 1), t.o.messages
		working.Go(func() { c.run(busy) })
	}
	r := t.random(3)
	pause(ctx, time.Duration(r.Int64N(int64(3*time.Second))))
	fmt.Fprintf(t.o.progress, "crash: %s, %s, %s, seed %d: begins\n", t.o.db, t.o.mode, t.o.fault, t.o.seed)
	switch t.o.fault {
	case faultLock:
		err = t.lock(ctx, r)
	case faultOutage:
		t.outage(ctx, r)
	default:
		err = t.stopPostgres(ctx, r)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(t.o.progress, "crash: %s, %s, %s, seed %d: is over\n", t.o.db, t.o.mode, t.o.fault, t.o.seed)
	pause(ctx, lastCalm)
	return ctx.Err()
}

// split divides a time into one part or some, at random.
func split(r *rand.Rand, whole time.Duration) (parts []time.Duration) {
	if r.IntN(2) == 0 {
		return []time.Duration{whole}
	}
	for n := 2 + r.IntN(3); n > 1; n-- {
		part := time.Duration(r.Int64N(int64(whole)*2/int64(n) + 1))
		parts, whole = append(parts, part), whole-part
	}
	return append(parts, whole)
}

// lock holds the database's write lock, at once or in parts with random pauses.
func (t *trial) lock(ctx context.Context, r *rand.Rand) error {
	driver, begin := "sqlite", []string{"PRAGMA busy_timeout = 60000", "BEGIN EXCLUSIVE"}
	if t.o.db == dbPostgres {
		driver, begin = "pgx", []string{"BEGIN", "LOCK TABLE inbox, conversations, messages, deliveries, turns IN ACCESS EXCLUSIVE MODE"}
	}
	db, err := sql.Open(driver, t.service.dsn)
	if err != nil {
		return fmt.Errorf("open the database beside the service: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing was changed through it
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open the database beside the service: %w", err)
	}
	for _, part := range split(r, t.o.lasts) {
		for _, statement := range begin {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("lock the database: %w", err)
			}
		}
		t.faults = append(t.faults, fmt.Sprintf("locked for %s", part.Round(time.Second)))
		pause(ctx, part)
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			return fmt.Errorf("unlock the database: %w", err)
		}
		pause(ctx, time.Duration(r.Int64N(int64(3*time.Second))))
	}
	return nil
}

// outage has the network answer with errors, with a proxy's page, or not at all, each for some seconds.
func (t *trial) outage(ctx context.Context, r *rand.Rand) {
	g := t.network.fake.(graph) // checkFault saw to it
	temporary := graphtest.Fault{Code: 131016, Status: 500, Nth: taken}
	if g.kind == graphtest.Messenger {
		temporary.Code = 2
	}
	kinds := map[string]graphtest.Fault{"temporary error": temporary, "500": {Code: 1, Status: 500, Nth: taken},
		"503 to sends alone": {Edge: "messages", Code: temporary.Code, Status: 503, Nth: taken},
		"app limit":          {Code: 4}, "throughput limit": {Code: 130429, Status: 429}, "proxy's page": {HTML: true}, "no answer": {Hang: true}, "cut": {Drop: true}}
	names := []string{"temporary error", "500", "503 to sends alone", "app limit", "throughput limit", "proxy's page", "no answer", "cut"}
	times := map[string]time.Duration{}
	end := time.Now().Add(t.o.lasts)
	for ctx.Err() == nil && time.Now().Before(end) {
		name := pick(r, names)
		g.fail(kinds[name])
		began := time.Now()
		pause(ctx, min(5*time.Second+time.Duration(r.Int64N(int64(25*time.Second))), time.Until(end)))
		times[name] += time.Since(began)
	}
	g.ok()
	for _, name := range names {
		if times[name] > 0 {
			t.faults = append(t.faults, fmt.Sprintf("%s %s", name, times[name].Round(time.Second)))
		}
	}
}

// stopPostgres has the server stand still for the fault's time, or restarts it every now and then meanwhile.
func (t *trial) stopPostgres(ctx context.Context, r *rand.Rand) error {
	data, pid, err := postmaster(t.o.postgres)
	if err != nil {
		return err
	}
	if t.o.fault == faultPause {
		for _, part := range split(r, t.o.lasts) {
			if err := signalAll(pid, syscall.SIGSTOP); err != nil {
				return err
			}
			t.faults = append(t.faults, fmt.Sprintf("stood still for %s", part.Round(time.Second)))
			pause(ctx, part)
			if err := signalAll(pid, syscall.SIGCONT); err != nil {
				return err
			}
			pause(ctx, time.Duration(r.Int64N(int64(3*time.Second))))
		}
		return nil
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return fmt.Errorf("find pg_ctl: %w", err)
	}
	for end := time.Now().Add(t.o.lasts); time.Now().Before(end); {
		how := pick(r, []string{"fast", "immediate"})
		cmd := exec.CommandContext(ctx, "runuser", "-u", "postgres", "--", filepath.Join(filepath.Dir(exe), "pg_ctl"), "-D", data, "-m", how, "-w", "-l", filepath.Join(filepath.Dir(data), "log"), "restart")
		if os.Geteuid() != 0 { // it is our own server
			cmd = exec.CommandContext(ctx, cmd.Args[4], cmd.Args[5:]...)
		}
		cmd.Dir = "/"
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("restart Postgres: %w: %s", err, said)
		}
		t.faults = append(t.faults, how+" restart")
		pause(ctx, time.Duration(r.Int64N(int64(10*time.Second))))
	}
	return nil
}

// postmaster finds the server of a DSN that names a folder of sockets, as .ci/with-postgres does.
func postmaster(dsn string) (data string, pid int, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", 0, fmt.Errorf("the DSN in %s: %w", postgresEnv, err)
	}
	data = filepath.Join(u.Query().Get("host"), "data")
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return "", 0, fmt.Errorf("find the Postgres server, which must be one that .ci/with-postgres has started: %w", err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err = strconv.Atoi(string(first))
	return data, pid, err
}

// signalAll signals a process and its children.
func signalAll(pid int, s syscall.Signal) error {
	list, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, s)
	for _, path := range list {
		text, rerr := os.ReadFile(path)
		if rerr != nil {
			continue // it has ended meanwhile
		}
		// "PID (NAME) STATE PARENT …"
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		child, cerr := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if cerr == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			_ = syscall.Kill(child, s) // it may have ended meanwhile
		}
	}
	return err
}
