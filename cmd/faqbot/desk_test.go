package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/knowledge/waittest"
)

// A conversation is shown by its own ID: without a ticket, with the one that is open, and once that is closed.
func TestDeskShowsAConversation(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModePoll)
	s.start()
	c := &customer{s: s, chat: 77}
	c.ask("minimum payout?")
	logged := regexp.MustCompile(`conversation\W+([A-Z0-9]{26})`)
	require.Eventually(t, func() bool { return logged.MatchString(s.log.String()) }, waittest.Hang, 10*time.Millisecond)
	id := logged.FindStringSubmatch(s.log.String())[1]
	alone := func() {
		t.Helper()
		out := s.faqbot("desk", "show", id)
		for _, want := range []string{"conversation " + id, "customer on telegram/", "no person has it", "/desk/conversations/" + id, "customer: minimum payout?", "The smallest payout is 50 euros."} {
			require.Contains(t, out, want)
		}
	}
	alone()
	c.ask("/human")
	ticket := regexp.MustCompile(`^ticket ([A-Z0-9]{8}) `)
	require.Eventually(t, func() bool { return ticket.MatchString(s.faqbot("desk", "show", id)) }, waittest.Hang, 50*time.Millisecond)
	shown := s.faqbot("desk", "show", id)
	require.Equal(t, s.faqbot("desk", "show", ticket.FindStringSubmatch(shown)[1]), shown)
	s.faqbot("desk", "close", ticket.FindStringSubmatch(shown)[1])
	c.next()
	alone()

	var out bytes.Buffer
	require.Equal(t, exitCouldNot, run(t.Context(), []string{"--config", filepath.Join(s.dir, "faqbot.toml"), "desk", "show", "NOSUCH"}, terminal{out: &out, err: &out}))
	require.Contains(t, out.String(), "there is no ticket and no conversation NOSUCH; faqbot desk list --all shows")
	require.Contains(t, out.String(), "/desk/conversations")
}
