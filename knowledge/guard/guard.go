// Package guard keeps a panic in one unit of work from ending the service and everybody else's work.
package guard

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	// firstRestart is the wait before a loop that failed begins again; it doubles up to maxRestart while the
	// loop keeps failing within that time.
	firstRestart = time.Second
	maxRestart   = time.Minute
)

// A Panic is a panic as an error.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return Describe(p.Value) }

// Describe says what was panicked with. The text of anything but Go's own errors may hold a customer's words,
// which are in no log; the stack says where it was.
func Describe(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic with a value of type %T", value)
}

// Run calls do and returns its error, or a *Panic if it panics.
func Run(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	return do()
}

// Do calls do and logs a panic in it.
func Do(log logrus.FieldLogger, what string, do func()) {
	Log(log, what, Run(func() error { do(); return nil }))
}

// Log logs err with its stack if it is a *Panic.
func Log(log logrus.FieldLogger, what string, err error) {
	if p, ok := errors.AsType[*Panic](err); ok {
		log.WithField("stack", string(p.Stack)).WithError(p).Error(what + " panicked")
	}
}

// Every calls do after each wait, until ctx ends.
func Every(ctx context.Context, wait time.Duration, do func(context.Context)) {
	tick := time.NewTicker(wait)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do(ctx)
		}
	}
}

// EveryTry is Every for what may fail or panic: then trouble is logged, and it is done again after the next wait.
func EveryTry(ctx context.Context, log logrus.FieldLogger, wait time.Duration, trouble string, do func(context.Context) error) {
	Every(ctx, wait, func(ctx context.Context) {
		if err := Run(func() error { return do(ctx) }); err != nil && ctx.Err() == nil {
			Log(log, trouble, err)
			log.WithError(err).Error(trouble + "; it is tried again")
		}
	})
}

// Loop runs loop until ctx ends, or loop returns nil. When it fails or panics that is logged, and it begins again: no
// trouble of one loop, such as a database that is away for a minute, ends the service.
func Loop(ctx context.Context, log logrus.FieldLogger, name string, loop func(context.Context) error) {
	log = log.WithField("loop", name)
	wait := firstRestart
	for {
		began := time.Now()
		err := Run(func() error { return loop(ctx) })
		_, panicked := errors.AsType[*Panic](err)
		switch {
		case panicked:
			Log(log, "a loop", err)
		case err != nil && ctx.Err() == nil:
			log.WithError(err).Error("a loop failed; it begins again")
		default:
			return
		}
		if time.Since(began) > maxRestart {
			wait = firstRestart
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, maxRestart)
	}
}
