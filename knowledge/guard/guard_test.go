package guard_test

import (
	"context"
	"errors"
	"testing"

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

// A loop that panics begins again; one that returns is over.
func TestLoop(t *testing.T) {
	log, _ := logtest.NewNullLogger()
	n, want := 0, errors.New("over")
	require.Equal(t, want, guard.Loop(t.Context(), log, "test", func(context.Context) error {
		if n++; n == 1 {
			panic("stumbled")
		}
		return want
	}))
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, guard.Loop(ctx, log, "test", func(context.Context) error { cancel(); panic("stumbled") }), context.Canceled)
}
