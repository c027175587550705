package graphapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/media"
)

// shelf is files by their IDs.
type shelf map[string]string

func (s shelf) Get(_ context.Context, id string) (media.Blob, []byte, error) {
	data, ok := s[id]
	switch {
	case !ok:
		return media.Blob{}, nil, media.ErrNotFound
	case data == "":
		return media.Blob{}, nil, errors.New("CANARY")
	}
	return media.Blob{ID: id}, []byte(data), nil
}

func newUploader(t *testing.T) (*Uploader, *graphtest.Account) {
	t.Helper()
	s := graphtest.New()
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	a := s.Add(graphtest.AccountOptions{Kind: graphtest.WhatsApp, ID: "5", Business: "9", Token: testToken, Secret: "x"})
	return NewUploader(newTest(t, s.URL()), shelf{"f": "%PDF-1.7", "unreadable": ""}), a
}

var pdf = Form{Path: "5/media", Fields: map[string]string{"messaging_product": "whatsapp", "type": "application/pdf"}, Field: "file",
	Name: `Preise "2026" ä.pdf`, Type: "application/pdf"}

// A file is uploaded once, until what Meta calls it is refused or a day has passed.
func TestUploadsOnce(t *testing.T) {
	u, a := newUploader(t)
	var ids []string
	refuse := map[string]bool{}
	send := func(id string) (string, error) {
		ids = append(ids, id)
		if refuse[id] {
			return "", &bot.SendError{Kind: bot.SendRefused}
		}
		return "sent by " + id, nil
	}
	for range 3 {
		external, err := u.Send(t.Context(), "f", pdf, send)
		require.NoError(t, err)
		require.Equal(t, "sent by "+ids[0], external)
	}
	require.Equal(t, 1, a.Calls("media"))
	other := pdf
	other.Name = "other.pdf"
	_, err := u.Send(t.Context(), "f", other, send)
	require.NoError(t, err)
	require.Equal(t, 2, a.Calls("media"), "under another name it is another file")

	refuse[ids[0]] = true
	external, err := u.Send(t.Context(), "f", pdf, send)
	require.NoError(t, err)
	require.NotEqual(t, "sent by "+ids[0], external, "forgotten by Meta, and given anew")
	require.Equal(t, 3, a.Calls("media"))

	for key := range u.known {
		u.known[key] = uploaded{u.known[key].id, time.Now().Add(-time.Second)}
	}
	_, err = u.Send(t.Context(), "f", pdf, send)
	require.NoError(t, err)
	require.Equal(t, 4, a.Calls("media"), "after a day")

	refuse[ids[len(ids)-1]] = true
	always := func(string) (string, error) { return "", &bot.SendError{Kind: bot.SendRefused, Code: "7"} }
	_, err = u.Send(t.Context(), "f", pdf, always)
	require.ErrorContains(t, err, "7")
	require.Equal(t, 5, a.Calls("media"), "not tried for ever")
	unsure := func(string) (string, error) { return "", &bot.SendError{Kind: bot.SendUnknown} }
	for range 2 {
		_, err = u.Send(t.Context(), "f", pdf, unsure)
		refused, _ := errors.AsType[*bot.SendError](err)
		require.Equal(t, bot.SendUnknown, refused.Kind, "a send in doubt is not repeated")
	}
	require.Equal(t, 6, a.Calls("media"))
}

// Whatever becomes of an upload, nothing was sent: where it may work another time it is repeated, and where
// it was refused something else can be sent.
func TestUploadFails(t *testing.T) {
	u, a := newUploader(t)
	never := func(string) (string, error) { t.Error("sent"); return "", nil }
	for _, test := range []struct {
		fault graphtest.Fault
		want  bot.SendFailure
	}{
		{graphtest.Fault{Code: 2, Status: 500, Transient: true}, bot.SendTransient}, {graphtest.Fault{HTML: true}, bot.SendTransient},
		{graphtest.Fault{Drop: true}, bot.SendTransient}, {graphtest.Fault{Drop: true, Accept: true}, bot.SendTransient},
		{graphtest.Fault{Odd: true}, bot.SendTransient},
		{graphtest.Fault{Code: 130429, Status: 429}, bot.SendThrottled}, {graphtest.Fault{Code: 4}, bot.SendThrottled},
		{graphtest.Fault{Code: 100}, bot.SendRefused}, {graphtest.Fault{Code: 131053}, bot.SendRefused}, {graphtest.Fault{Code: 100, Subcode: 2018047}, bot.SendRefused},
		{graphtest.Fault{Code: 10, Status: 403}, bot.SendRefused}, {graphtest.Fault{Code: 190, Status: 401}, bot.SendRefused},
	} {
		a.Inject(test.fault)
		_, err := u.Send(t.Context(), "f", pdf, never)
		refused, ok := errors.AsType[*bot.SendError](err)
		require.True(t, ok)
		require.Equal(t, test.want, refused.Kind, "%+v", test.fault)
		require.Zero(t, refused.After, "the network does not say how long to wait")
		require.NotContains(t, err.Error(), "CANARY")
	}
	for file, want := range map[string]bot.SendFailure{"nothing": bot.SendRefused, "unreadable": bot.SendTransient} {
		_, err := u.Send(t.Context(), file, pdf, never)
		refused, ok := errors.AsType[*bot.SendError](err)
		require.True(t, ok)
		require.Equal(t, want, refused.Kind)
		require.NotContains(t, err.Error(), "CANARY")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := u.Send(ctx, "f", pdf, never)
	require.ErrorIs(t, err, context.Canceled)
}

func TestUpload(t *testing.T) {
	got := make(chan *http.Request, 1)
	s := answeringTo(t, func(r *http.Request) string {
		if r.ParseMultipartForm(1<<20) != nil {
			return `{}`
		}
		got <- r
		return `{"attachment_id":"1857777774821032"}`
	})
	id, err := newTest(t, s.URL).upload(t.Context(), pdf, []byte("%PDF-1.7"))
	require.NoError(t, err)
	require.Equal(t, "1857777774821032", id)
	r := <-got
	require.Equal(t, []string{"/v25.0/5/media", "Bearer " + testToken}, []string{r.URL.Path, r.Header.Get("Authorization")})
	require.Equal(t, "whatsapp", r.FormValue("messaging_product"))
	f := r.MultipartForm.File["file"][0]
	require.Equal(t, []string{`Preise "2026" ä.pdf`, "application/pdf"}, []string{f.Filename, f.Header.Get("Content-Type")})
	require.Equal(t, int64(8), f.Size)
}
