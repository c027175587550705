package bot

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A templated recorder knows templates.
type templated struct {
	*recorder
	list []Template
	err  error
}

func (c templated) Templates(context.Context) ([]Template, error) { return c.list, c.err }

// Outside the window a template goes out, and what is wrong with one is said before anything is stored.
func TestSayTemplate(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Window = 24 * time.Hour
		c := templated{recorder: w.channel, list: []Template{
			{Name: "update", Language: "en", Text: "Hi {{name}}, order {{order}} is on its way.", Variables: []string{"name", "order"}},
			{Name: "update", Language: "es", Text: "Hola {{1}}", Variables: []string{"1"}},
			{Name: "paused", Language: "en", Problem: "WhatsApp has not approved it: paused"}}}
		w.accounts.Put(w.account, c)
		e := message("c", "u1", "hello")
		e.At = time.Now().Add(-30 * time.Hour)
		w.accept(e)
		id := w.conversation("c").ID
		conversations := w.conversations()
		for _, wrong := range []struct {
			name, language string
			values         []string
			says           string
		}{
			{"update", "fr", nil, "no template update in fr"},
			{"update", "en", []string{"Ann"}, "needs 2 values, not 1"},
			{"update", "en", []string{"Ann", "a\nb"}, "{{order}} needs words"},
			{"update", "en", []string{"Ann", " "}, "{{order}} needs words"},
			{"paused", "en", nil, "not approved"},
		} {
			err := conversations.SayTemplate(t.Context(), id, "k", "ann", wrong.name, wrong.language, wrong.values)
			var se *SendError
			require.ErrorAs(t, err, &se)
			require.Equal(t, SendRefused, se.Kind)
			require.ErrorContains(t, err, wrong.says)
		}
		var se *SendError
		require.ErrorAs(t, conversations.Say(t.Context(), id, "k", Reply{Text: "hi", Agent: "ann"}), &se)
		require.Equal(t, SendWindowClosed, se.Kind)
		require.Equal(t, 0, w.count(`SELECT COUNT(*) FROM deliveries`))

		for range 2 {
			require.NoError(t, conversations.SayTemplate(t.Context(), id, "k", "ann", "update", "en", []string{"Ann", "{{name}} 7"}))
		}
		w.run(w.courier().Run)
		w.soon("sent", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"Hi Ann, order {{name}} 7 is on its way."}, w.channel.texts("c"))
		w.channel.mu.Lock()
		defer w.channel.mu.Unlock()
		require.Equal(t, &Filled{Name: "update", Language: "en", Values: []Value{{"name", "Ann"}, {"order", "{{name}} 7"}}}, w.channel.sent["c"][0].Template)
	})
}

func TestTemplatesFail(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		id := w.conversation("c").ID
		list, err := w.conversations().Templates(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, list, "this network has none")
		w.accounts.Put(w.account, templated{recorder: w.channel, err: errors.New("no connection")})
		require.ErrorContains(t, w.conversations().SayTemplate(t.Context(), id, "k", "ann", "x", "en", nil), "no connection")
	})
}
