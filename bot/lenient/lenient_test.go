package lenient

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// An element whose odd field stands beside what is known is known; one of which only the odd field could have told is
// not, and neither is what is no object.
func TestEach(t *testing.T) {
	type message struct {
		Text string `json:"text"`
		At   int    `json:"at"`
	}
	var list []json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(`[{"text":"a","at":"soon"},{"text":5},"b",{"at":3}]`), &list))
	var read []string
	d := Decoding[string]{Undecodable: func(raw json.RawMessage, err error) string {
		require.NotContains(t, err.Error(), "soon", "no words in an error")
		return "unread " + string(raw)
	}}
	Each(&d, list, func(_ json.RawMessage, m message) error {
		read = append(read, m.Text)
		if m.Text != "" {
			d.Events = append(d.Events, m.Text)
		}
		return nil
	})
	require.Equal(t, []string{"a", "", ""}, read)
	require.Equal(t, []string{"a", `unread {"text":5}`, `unread "b"`}, d.Events)
}

func TestText(t *testing.T) {
	for raw, want := range map[string]Text{`"7"`: "7", `7`: "7", `1e300`: "1e300", `true`: "true", `null`: "", `{"a":1}`: "", `[1]`: ""} {
		var got struct{ X Text }
		require.NoError(t, json.Unmarshal([]byte(`{"x":`+raw+`}`), &got))
		require.Equal(t, want, got.X, raw)
	}
}

func TestFormWords(t *testing.T) {
	for response, want := range map[string]string{
		`{"flow_token":"t","email":"mia@example.com","topic":"refund"}`: "email: mia@example.com, topic: refund",
		`{"values":{"first_name":"Mia","tags":["a","b"]},"id":null}`:    "first name: Mia, tags: a, tags: b",
		`kit, two of them`: "kit, two of them",
	} {
		require.Equal(t, want, FormWords(response, "flow_token"), response)
	}
}

func TestWebLink(t *testing.T) {
	require.Equal(t, "https://example.com/p", WebLink("https://example.com/p"))
	for _, link := range []string{"", "/relative", "javascript:alert(1)", "ftp://example.com", "https://"} {
		require.Empty(t, WebLink(link), link)
	}
}
