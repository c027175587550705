package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi"
	"faqbot/bot/graphapi/graphtest"
)

func TestCommandLine(t *testing.T) {
	for name, args := range map[string][]string{
		"db": {"-db", "mysql"}, "rounds": {"-rounds", "0"}, "section": {"-only", "coffee"}, "argument": {"now"}, "flag": {"-x"},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, command(t.Context(), args, io.Discard, io.Discard)) })
	}
	t.Setenv(postgresEnv, "")
	require.ErrorContains(t, command(t.Context(), []string{"-db", "postgres"}, io.Discard, io.Discard), postgresEnv)
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	rows := []row{{what: "a", value: "1", wanted: "≥ 1", met: true}, {what: "b", value: "2", wanted: "≥ 3", mark: true}, {what: "c", value: "4"}}
	require.NoError(t, show(&out, options{db: dbSQLite}, rows, "0"), "a mark is only told")
	require.Contains(t, out.String(), "below the mark")
	require.ErrorIs(t, show(&out, options{db: dbSQLite}, append(rows, row{what: "d", wanted: "none"}), "0"), errMissed)
	require.Contains(t, out.String(), "MISSED")
}

// serve is a server that hears calls, each of which must be signed and new.
func serve(t *testing.T, slow func(n int64)) (p *program, count *atomic.Int64) {
	t.Helper()
	count = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != hookPath || graphapi.Verify([]string{appSecret}, r.Header, body) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		slow(count.Add(1))
	}))
	t.Cleanup(s.Close)
	return &program{address: s.Listener.Addr().String()}, count
}

func newTestMint() *mint {
	a := graphtest.New().Add(graphtest.AccountOptions{Kind: graphtest.WhatsApp, ID: number, Business: business, Token: token, Secret: appSecret})
	return newMint(a, []string{"15551000001", "15551000002"}, []string{"When?", "Where?"})
}

func TestCallsAreSignedAndDiffer(t *testing.T) {
	m := newTestMint()
	one, two := string(m.call("host")), string(m.call("host"))
	require.NotEqual(t, one, two)
	require.NotContains(t, one, placeCustomer)
	require.NotContains(t, one, placeMessage+`"`)
	require.NotContains(t, one, placeWords)
	require.True(t, strings.Contains(one, "15551000002") && strings.Contains(two, "15551000001"))
}

func TestClosedCountsWhatWasAnswered(t *testing.T) {
	p, count := serve(t, func(int64) {})
	n, rate, err := closed(t.Context(), p, 4, newTestMint(), 50*time.Millisecond)
	require.NoError(t, err)
	require.Positive(t, n)
	require.EqualValues(t, count.Load(), n)
	require.Positive(t, rate)
}

// A server that stands still makes those late who come meanwhile, although few were being served.
func TestOpenCountsFromWhenACallWasDue(t *testing.T) {
	const stands = 200 * time.Millisecond
	p, _ := serve(t, func(n int64) {
		if n == 1 {
			<-time.After(stands) // its slowness is what is tested
		}
	})
	took, err := open(t.Context(), p, 1, newTestMint(), 100, 150*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, took, 15)
	late := 0
	for _, d := range took {
		if d > stands/4 {
			late++
		}
	}
	require.Greater(t, late, 10)
}

func TestARefusedCallIsAnError(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	p := &program{address: s.Listener.Addr().String()}
	_, _, err := closed(t.Context(), p, 1, newTestMint(), time.Millisecond)
	require.ErrorContains(t, err, "404")
}
