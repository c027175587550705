package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheRealBinarySurvivesAFewKills(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the service")
	}
	binary, err := build(t.Context(), t.TempDir())
	require.NoError(t, err)
	for _, mode := range []string{modeWebhook, modePoll, modeWhatsApp, modeMessenger} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r, err := run(t.Context(), options{kills: 3, fault: faultKill, db: dbSQLite, mode: mode, seed: 11, customers: 20, binary: binary,
				dir: t.TempDir(), progress: io.Discard})
			require.NoError(t, err)
			require.Empty(t, r.Violations)
			require.Equal(t, 3, r.Kills)
			require.Equal(t, 4, r.Lives)
			require.Equal(t, r.Said, r.Accepted)
			require.Positive(t, r.Messages)
			require.Positive(t, r.Delivered)
			require.NotEmpty(t, r.SinceAccepted)

			var out bytes.Buffer
			r.print(&out)
			require.Contains(t, out.String(), "3: ")
			require.NotContains(t, out.String(), "VIOLA")
		})
	}
}

func TestCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"mode":      {"-mode", "pigeon"},
		"modes":     {"-mode", "poll,pigeon"},
		"db":        {"-db", "mysql"},
		"n":         {"-n", "0"},
		"customers": {"-customers", "0"},
		"fault":     {"-fault", "flood"},
		"outage":    {"-fault", "outage", "-mode", "poll"},
		"pause":     {"-fault", "pause"},
		"for":       {"-fault", "lock", "-for", "0s"},
		"argument":  {"now"},
		"flag":      {"-x"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, command(t.Context(), args, io.Discard, io.Discard))
		})
	}
}

func TestPostgresNeedsAServer(t *testing.T) {
	t.Setenv(postgresEnv, "")
	require.ErrorContains(t, command(t.Context(), []string{"-db", "postgres"}, io.Discard, io.Discard), postgresEnv)
}

// A service that ends by itself is not mistaken for one that was killed.
func TestABinaryThatEndsByItselfIsAnError(t *testing.T) {
	_, err := run(t.Context(), options{kills: 1, fault: faultKill, db: dbSQLite, mode: modePoll, customers: 1, binary: "/bin/true", dir: t.TempDir(),
		progress: io.Discard})
	require.ErrorIs(t, err, errDies)
}
