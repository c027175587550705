package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/store"
)

// Names come from what the networks send, or are asked for; and a number is one number in all of its spellings: an echo
// to another one silences the bot, and a contact that the customer shares elsewhere joins the conversations.
func TestNamesAndNumbers(t *testing.T) {
	t.Parallel()
	w := newWebhookSite(t)
	whatsapp := func(from, name, id, text string) string {
		return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"5000"},
			"contacts":[{"wa_id":"999","profile":{"name":"Somebody Else"}},{"wa_id":%q,"profile":{"name":%q}}],
			"messages":[{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`, from, name, from, id, time.Now().Unix(), text)
	}
	post := func(channel, body string) { require.Equal(t, 200, w.post(t, channel, []byte(body))) }
	find := func(channel, customer string) (c bot.Conversation) {
		w.wait(t, customer, func() bool {
			var err error
			c, err = w.service.conversations.Find(t.Context(), bot.Address{Channel: channel, Account: "shop", Customer: customer})
			return err == nil
		})
		return c
	}
	w.accounts[graphtest.WhatsApp].Know("551187654321")
	post("whatsapp", whatsapp("551187654321", " Ana Lima ", "w1", "hello"))
	ana := find("whatsapp", "551187654321")
	require.Equal(t, "Ana Lima", ana.Name)
	require.Equal(t, "5511987654321", ana.Phone)
	post("whatsapp", whatsapp("551187654321", "Ana Souza", "w2", "hello again"))
	w.wait(t, "another name", func() bool { return find("whatsapp", "551187654321").Name == "Ana Souza" })

	w.wait(t, "answers", func() bool { return w.settled(t, "551187654321", "551187654321") })
	_, err := w.db.Change(t.Context(), `UPDATE messages SET at = at - 60000`) // so soon it would pass for an automatic reply
	require.NoError(t, err)
	post("whatsapp", fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"smb_message_echoes","value":{"metadata":{"phone_number_id":"5000"},
		"message_echoes":[{"from":"5000","to":"5511987654321","id":"e1","timestamp":"%d","type":"text","text":{"body":"I am here."}}]}}]}]}`, time.Now().Unix()))
	w.wait(t, "the echo", func() bool { return w.count(t, `SELECT COUNT(*) FROM messages WHERE body = 'I am here.'`) == 1 })
	require.Equal(t, 1, w.count(t, `SELECT COUNT(*) FROM conversations WHERE channel = 'whatsapp'`), "no other conversation")
	require.Equal(t, bot.ModePerson, find("whatsapp", "551187654321").Mode)

	w.telegram.Know(77)
	post("telegram", `{"update_id":501,"message":{"message_id":1,"date":1,"chat":{"id":77,"type":"private"},"from":{"id":77,"first_name":"Ana","last_name":"L."},
		"contact":{"phone_number":"+55 11 98765 4321","first_name":"Ana","user_id":77}}}`)
	tg := find("telegram", "77")
	require.Equal(t, "Ana L.", tg.Name)
	require.Equal(t, ana.Customer, tg.Customer)

	for _, channel := range []string{graphtest.Messenger, graphtest.Instagram} {
		w.accounts[channel].Hook(w.base + "/hooks/" + channel + "/shop")
		w.accounts[channel].Say("8800", "hello")
		w.wait(t, "the name is asked for", func() bool { return find(channel, "8800").Name == "Ana Lima" })
	}
}

// Profile pictures are asked for where networks tell them, shown beside the name to those who may see the customer, and
// to nobody else; an export has them, and they are erased with the customer.
func TestProfilePictures(t *testing.T) {
	t.Parallel()
	w := newWebhookSite(t)
	faces := map[string][]byte{"telegram": picture(31, 31), graphtest.Messenger: picture(32, 32), graphtest.Instagram: picture(33, 33)}
	w.telegram.SetFace(77, faces["telegram"])
	w.telegram.Know(77)
	require.Equal(t, 200, w.post(t, "telegram", []byte(`{"update_id":601,"message":{"message_id":1,"date":1,"chat":{"id":77,"type":"private"},"from":{"id":77,"first_name":"Ana"},"text":"hello"}}`)))
	for _, channel := range []string{graphtest.Messenger, graphtest.Instagram} {
		w.accounts[channel].SetFace("77", faces[channel])
		w.accounts[channel].Hook(w.base + "/hooks/" + channel + "/shop")
		w.accounts[channel].Say("77", "hello")
	}
	for channel, face := range faces {
		var c bot.Conversation
		w.wait(t, "the picture from "+channel, func() bool {
			var err error
			c, err = w.service.conversations.Find(t.Context(), bot.Address{Channel: channel, Account: "shop", Customer: "77"})
			return err == nil && c.Picture != ""
		})
		shown := w.shown("ann", "/desk/conversations/"+string(c.ID), `<img src="(/desk/media/`+c.Picture+`[^"]*)" alt="">`)[1]
		status, _, body := w.do("ann", http.MethodGet, shown, nil)
		require.Equal(t, 200, status)
		require.Equal(t, string(face), body)
		status, _, _ = w.do("", http.MethodGet, shown, nil)
		require.NotEqual(t, 200, status, "nobody else")
		var export bytes.Buffer
		require.NoError(t, w.service.desk.Export(t.Context(), c.Customer, &export))
		z, err := zip.NewReader(bytes.NewReader(export.Bytes()), int64(export.Len()))
		require.NoError(t, err)
		_, err = z.Open("files/" + c.Picture)
		require.NoError(t, err)
		w.wait(t, "answers", func() bool { return w.settled(t, "77", "77") })
		w.wait(t, "all that names her is read", func() bool {
			err := w.service.desk.Forget(t.Context(), c.Customer)
			require.True(t, err == nil || errors.Is(err, store.ErrUnread), "%v", err)
			return err == nil
		})
		require.Equal(t, 0, w.count(t, `SELECT COUNT(*) FROM blobs WHERE id = $1`, c.Picture))
	}
}
