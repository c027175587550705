package sqldb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"faqbot/knowledge/guard"
)

// On SQLite, what is written goes into a log first and from there into the file: a checkpoint, which waits
// for the disk. Left to itself SQLite has the writer do it when the log has some size, and all who want
// to write wait meanwhile. A checkpointer does it beside them, a little at a time.
const (
	// checkpointEvery is how long the log is left to grow.
	checkpointEvery = 200 * time.Millisecond
	// logMost is how many pages the log may have until writers must wait once for the rest of it: it begins
	// anew only when all of it is in the file, and while they write there is always something left.
	logMost = 8 << 10
)

// A checkpointer moves the log into the file until it is closed.
type checkpointer struct {
	wrote chan struct{} // something is in the log
	ended sync.WaitGroup
	stop  context.CancelFunc
}

func (db *DB) startCheckpoints(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	db.checkpoints = checkpointer{wrote: make(chan struct{}, 1), stop: stop}
	db.checkpoints.ended.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-db.checkpoints.wrote:
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(checkpointEvery):
			}
			// The next one does it, or the writer when the log is long.
			_ = guard.Run(func() error { return db.checkpoint(ctx) })
		}
	})
}

// note has a checkpoint follow.
func (c *checkpointer) note() {
	select {
	case c.wrote <- struct{}{}:
	default:
	}
}

func (c *checkpointer) close() {
	if c.stop != nil {
		c.stop()
		c.ended.Wait()
	}
}

// checkpoint moves the log into the file.
func (db *DB) checkpoint(ctx context.Context) error {
	pages, err := db.moveLog(ctx)
	if err != nil || pages < logMost {
		return err
	}
	if err := db.lock(ctx); err != nil {
		return err
	}
	defer db.unlock()
	_, err = db.moveLog(ctx)
	return err
}

// moveLog moves what is in the log now, without keeping anybody from reading or writing.
func (db *DB) moveLog(ctx context.Context) (pages int, err error) {
	var busy, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &moved); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	if busy != 0 {
		return 0, errors.New("checkpoint: another process is at it")
	}
	return pages, nil
}
