package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Somebody who waits without a terminal, or reads the log, sees that work goes on; short work is silent.
func TestProgressInLines(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, "reading")
		p.set(0, 30)
		p.set(10, 30)
		require.Empty(t, out.String())
		<-time.After(progressEvery)
		p.set(20, 30)
		require.Equal(t, "reading 20 of 30\n", out.String())
		<-time.After(progressEvery)
		p.set(30, 30)
		p.set(0, 5)
		p.set(2, 5)
		require.Equal(t, "reading 20 of 30\n", out.String(), "nothing to wait for any more")
	})
}
