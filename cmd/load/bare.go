package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot/graphapi"
)

// serveBare serves what the service is measured against: a gin handler that checks the signature of
// a body and answers. It says where on w.
func serveBare(ctx context.Context, w io.Writer) error {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.POST(hookPath, func(c *gin.Context) {
		body, err := io.ReadAll(c.Request.Body)
		if err != nil || graphapi.Verify([]string{appSecret}, c.Request.Header, body) != nil {
			c.Status(http.StatusUnauthorized)
			return
		}
		c.Status(http.StatusOK)
	})
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nothing of it is worth waiting for
	fmt.Fprintf(w, `{"listen": %q}`+"\n", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
