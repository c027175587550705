package faqsite_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/brand"
	"faqbot/knowledge/page"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// A page of 100 entries that is made already, against a gin handler that does nothing but write the same bytes, each
// asked over one connection:
//
//	go test -run '^$' -bench Serve -count 5 ./knowledge/faqsite
func BenchmarkServe(b *testing.B) {
	d := newDesk(b, sqldbtest.Migrated(b, schemas()...))
	d.publish(manyEntries(100)...)
	d.open(brand.Brand{})
	packed := d.ask("GET", "/faq/acme", "", "Accept-Encoding", "gzip").Body.Bytes()
	bare := gin.New()
	require.NoError(b, bare.SetTrustedProxies(nil))
	bare.GET("/faq/:affiliate", func(c *gin.Context) {
		c.Header("Content-Encoding", "gzip")
		c.Data(http.StatusOK, "text/html; charset=utf-8", packed)
	})
	unhurried := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.now = d.now.Add(200 * time.Millisecond) // so that no limit holds up the one reader
		d.site.ServeHTTP(w, r)
	})
	for name, handler := range map[string]http.Handler{"site": unhurried, "bare": page.Secure(bare)} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", server.Listener.Addr().String())
			require.NoError(b, err)
			defer conn.Close()
			reader, request := bufio.NewReaderSize(conn, 64<<10), []byte("GET /faq/acme HTTP/1.1\r\nHost: bot.example\r\nAccept-Encoding: gzip\r\n\r\n")
			for b.Loop() {
				_, err := conn.Write(request)
				require.NoError(b, err)
				answer, err := http.ReadResponse(reader, nil)
				require.NoError(b, err)
				n, err := io.Copy(io.Discard, answer.Body)
				require.NoError(b, err)
				require.EqualValues(b, len(packed), n)
			}
		})
	}
}
