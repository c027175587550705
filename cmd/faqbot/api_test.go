package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/people"
)

func TestAPI(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.NoError(t, h.service.searcher.Refresh(t.Context()))
	key, _, err := h.service.directory.AddKey(t.Context(), people.Operator, "acme", "shop")
	require.NoError(t, err)
	other, _, err := h.service.directory.AddKey(t.Context(), people.Operator, "other", "shop")
	require.NoError(t, err)
	forwardedFor := ""
	post := func(key, body string) (int, apiAnswer, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.server.URL+"/api/ask", strings.NewReader(body))
		require.NoError(t, err)
		if forwardedFor != "" {
			req.Header.Set("X-Forwarded-For", forwardedFor)
		}
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		data, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		var a apiAnswer
		require.NoError(t, json.Unmarshal(data, &a), string(data))
		return res.StatusCode, a, string(data)
	}

	status, a, raw := post(key, `{"id":"7","text":"how will I be paid?","lang":"en","context":["hello"]}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"7", "answer", "By transfer."}, []string{a.ID, a.Action, a.Replies[0]})
	require.Equal(t, a.Ranked[0].Entry, a.Entry)
	require.Equal(t, a.Ranked[0].Probability, a.Probability)
	require.NotEmpty(t, a.Keys[a.Entry], "programs know entries by the affiliate's own names")
	for _, field := range []string{"id", "action", "entry", "probability", "ranked", "choices", "took_us"} {
		require.Contains(t, raw, `"`+field+`":`, "the fields of a batch row")
	}

	_, a, _ = post(other, `{"id":"8","text":"how will I be paid?"}`)
	require.Empty(t, a.Ranked, "a key is one affiliate's")
	require.NotEqual(t, "answer", a.Action)

	// A suite asks over it, and finds the entries by the IDs in its own file.
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), []byte("id,question,answer\na,How do I get paid?,By transfer.\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "suite.yaml"), []byte("- {ask: how will I be paid, answer: a, reply: {contains: by transfer}}\n- {ask: a human please, handoff: asked_person}\n"), 0o600))
	var said bytes.Buffer
	code := run(t.Context(), []string{"eval", "run", filepath.Join(dir, "suite.yaml"), "--faq", filepath.Join(dir, "faq.csv"), "--service", h.server.URL, "--api-key", key}, terminal{out: &said, err: &said})
	require.Equal(t, exitDone, code, "%s", &said)

	for _, bad := range []struct {
		key, body string
		status    int
	}{
		{"", `{"text":"x"}`, 401}, {"nonsense", `{"text":"x"}`, 401}, {key, `{`, 400}, {key, ``, 400},
		{key, `{"text":"` + strings.Repeat("x", apiBody) + `"}`, 413},
		{key, `{"text":"x","context":[` + strings.Repeat(`"y",`, apiLonger) + `"y"]}`, 400},
	} {
		status, _, raw := post(bad.key, bad.body)
		require.Equal(t, bad.status, status, "%.60s", bad.body)
		require.Contains(t, raw, `"error"`)
	}
	// Time stands still, so that a slow machine gets no further.
	h.service.config.Server.TrustedProxies = []string{"127.0.0.1"} // the test comes from several addresses
	stopped := time.Now()
	router := gin.New()
	require.NoError(t, router.SetTrustedProxies(h.service.config.Server.TrustedProxies))
	router.POST("/api/ask", newAPI(h.service, func() time.Time { return stopped }).ask)
	h.server.Config.Handler = router
	for range apiWrongKeysBurst {
		status, _, _ = post("wrong", `{"text":"x"}`)
		require.Equal(t, http.StatusUnauthorized, status)
	}
	status, _, raw = post(key, `{"text":"x"}`)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, raw, "from this address with a wrong API key")
	forwardedFor = "192.0.2.7" // another address is not held up
	for range apiBurst {
		status, _, _ = post(key, `{`)
		require.Equal(t, http.StatusBadRequest, status)
	}
	status, _, raw = post(key, `{`)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, raw, "20 a second for one affiliate")
	stopped = stopped.Add(time.Second)
	status, _, _ = post(key, `{"text":"x"}`)
	require.Equal(t, http.StatusOK, status)
}
