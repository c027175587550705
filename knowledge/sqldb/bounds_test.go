package sqldb

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that says nothing, or takes nothing, is given up; pgx's own earlier deadline holds.
func TestBoundedConn(t *testing.T) {
	for name, use := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ours, _ := net.Pipe() // nobody is at the other end
			c := &boundedConn{Conn: ours, max: time.Millisecond}
			require.ErrorIs(t, use(c), os.ErrDeadlineExceeded)
			c.max = time.Hour
			require.NoError(t, c.SetDeadline(time.Now().Add(-time.Second)))
			require.ErrorIs(t, use(c), os.ErrDeadlineExceeded)
			require.NoError(t, c.SetDeadline(time.Time{}))
			ended := make(chan error, 1)
			go func() { ended <- use(c) }()
			require.NoError(t, c.Close())
			err := <-ended
			require.Error(t, err)
			require.False(t, errors.Is(err, os.ErrDeadlineExceeded))
		})
	}
}
