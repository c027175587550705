package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"faqbot/eval/suite"
)

// checkReplay asks again what the customers of script asked: of what is published, and of an FAQ that lacks an entry.
func (e *everyChannel) checkReplay() {
	t, dir := e.t, e.t.TempDir()
	replay := func(more ...string) string {
		var out, complaints bytes.Buffer
		args := append([]string{"--config", e.service.config.path, "eval", "replay", "--affiliate", "shop"}, more...)
		require.Equal(t, exitDone, run(t.Context(), args, terminal{out: &out, err: &complaints}), "%s", &complaints)
		return out.String()
	}
	asked := filepath.Join(dir, "asked.yaml")
	same := replay("--suite", asked)
	require.Regexp(t, ` 0 would be treated otherwise`, same)
	s, err := suite.Read(asked)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(s.Cases), 5*len(e.lines), "on each channel")

	require.Contains(t, replay("--answer-at", "0.999"), "a menu with")

	fewer := filepath.Join(dir, "fewer.csv")
	require.NoError(t, os.WriteFile(fewer, []byte(strings.ReplaceAll(sharedFAQ, "minimum,What is the minimum payout?,The smallest payout is 50 euros.,\n", "")), 0o600))
	require.Contains(t, replay("--faq", fewer), "expected the answer minimum, got")
}
