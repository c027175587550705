package guard_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/guard"
)

func TestRun(t *testing.T) {
	require.NoError(t, guard.Run(func() error { return nil }))
	want := errors.New("x")
	require.Equal(t, want, guard.Run(func() error { return want }))
	var p *guard.Panic
	require.ErrorAs(t, guard.Run(func() error { panic("stumbled") }), &p)
	require.EqualError(t, p, "panic with a value of type string", "it may be a customer's words")
	require.Equal(t, "stumbled", p.Value)
	var none []int
	require.ErrorAs(t, guard.Run(func() error { _ = none[len(none)]; return nil }), &p)
	require.EqualError(t, p, "panic: runtime error: index out of range [0] with length 0")
	require.Contains(t, string(p.Stack), "guard_test")
	log, hook := logtest.NewNullLogger()
	guard.Do(log, "work", func() { panic("stumbled") })
	require.Equal(t, logrus.ErrorLevel, hook.LastEntry().Level)
	require.Equal(t, "work panicked", hook.LastEntry().Message)
}

// A loop that panics or fails begins again; one that returns is over.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, hook := logtest.NewNullLogger()
		n := 0
		guard.Loop(t.Context(), log, "test", func(context.Context) error {
			switch n++; n {
			case 1:
				panic("stumbled")
			case 2:
				return errors.New("the database is away")
			}
			return nil
		})
		require.Equal(t, 3, n)
		require.Len(t, hook.AllEntries(), 2)
		for _, end := range []func() error{func() error { panic("stumbled") }, func() error { return errors.New("stumbled") }} {
			ctx, cancel := context.WithCancel(t.Context())
			guard.Loop(ctx, log, "test", func(context.Context) error { cancel(); return end() })
			require.Error(t, ctx.Err())
		}
	})
}
