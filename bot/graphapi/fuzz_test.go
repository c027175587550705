package graphapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// Whatever answers a call, the send that it was for has a meaning, and no words of it are repeated.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"messages":[{"id":"wamid.1"}]}`, `{"error":{"message":"CANARY","code":131047,"error_subcode":0,"is_transient":true}}`,
		`{"error":null}`, `{"error":{"code":"x"}}`, `<html>`, ``, `[]`, `{"error":{"code":1e99}}`} {
		f.Add(400, []byte(body), `{"call_count":99}`, `{"9":[{"estimated_time_to_regain_access":5}]}`, "7")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, app, business, retry string) {
		c, err := NewClient(Options{Token: "T"})
		require.NoError(t, err)
		header := http.Header{"X-App-Usage": {app}, "X-Business-Use-Case-Usage": {business}, "Retry-After": {retry}}
		c.usage.note(header)
		require.LessOrEqual(t, gap(c.usage.share), slowMost)
		var out struct {
			Messages []struct {
				ID string `json:"id"`
			} `json:"messages"`
		}
		if err := c.open(&http.Response{StatusCode: status, Header: header}, body, &out); err != nil {
			se := SendError(err)
			require.NotEmpty(t, se.Kind)
			require.NotContains(t, se.Error(), "CANARY")
			require.Less(t, len(se.Error()), 300)
			require.True(t, se.Kind != bot.SendThrottled || se.After > 0)
		}
	})
}
