package channeltest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/inbound"
	"faqbot/knowledge/media"
)

// Media is what a network does with files, and how its fake shows it. What can differ from network to network
// is said here; the rest is the same on all.
type Media struct {
	// Say is the request by which the network tells that Customer sent f, which it hands out from then on; nil: no
	// file of theirs reaches us.
	Say func(hook string, number int, f File) *http.Request
	// Odd is the same with something that is neither words nor a file; nil: nobody can send such a thing.
	Odd func(hook string, number int) *http.Request
	// Got is what Customer has of ours, oldest first; nil: only words.
	Got func() []Got
	// Fail has the next file of ours meet f, which is Throttled, Broken, Lost or Refused. A linked one lies where
	// the network can fetch it. Nil: nobody takes files from us but customers themselves.
	Fail func(f Failure, linked bool)

	Voice     File   // a voice note: its Kind, Type and Data
	Unnamed   bool   // what customers call their files is not told
	AtOnce    bool   // a file that we do not take is refused when it is sent, and not told of as lost
	Fetches   bool   // a file of ours is fetched from us if it can be, not given
	Uncarried string // the media type of a file that we keep and the network does not carry; "" if it carries all
}

// A File is one that a customer sends, with their words.
type File struct {
	Kind  string // photo, voice, audio, document
	Name  string
	Type  string // media type
	Data  []byte
	Words string
}

// A Got is a message of ours as the customer has it.
type Got struct {
	Words string
	Kind  string // of its file: photo, video, audio, document; "" if it has none
	Name  string // of its file, "" if the network shows none
	Data  []byte // of its file, if it was given to the network
	Link  string // of its file, if the network fetched it
}

// samples are the beginnings of files of some types that we keep, enough to be known by.
func samples() map[string][]byte {
	return map[string][]byte{
		"image/png": []byte("\x89PNG\r\n\x1a\n plans"), "image/gif": []byte("GIF89a plans"), "application/pdf": []byte("%PDF-1.7 prices"),
		"audio/mp4": []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00 welcome"), "audio/wav": []byte("RIFF\x00\x00\x00\x00WAVEfmt welcome"),
		"video/webm": []byte("\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x1F\x42\x82\x84webm"), "text/plain; charset=utf-8": []byte("notes"),
	}
}

// OggVoice is a voice note as most networks have it.
func OggVoice() File {
	return File{Kind: "voice", Type: "audio/ogg", Data: []byte("OggS" + strings.Repeat("\x00", 24) + "OpusHead\x01")}
}

// collect has files fetched until the test ends.
func (p *play) collect() {
	p.runLoops(inbound.NewCollector(p.store, p.accounts, p.shelf, p.log, inbound.CollectorOptions{}).Run)
}

// said is the customer's last message.
func (p *play) said() (last bot.Message) {
	p.t.Helper()
	for _, m := range p.transcript() {
		if m.Author == bot.AuthorCustomer {
			last = m
		}
	}
	return last
}

func (p *play) transcript() []bot.Message {
	p.t.Helper()
	conv, err := p.conversations.Find(p.t.Context(), p.to())
	require.NoError(p.t, err)
	list, err := p.conversations.Transcript(p.t.Context(), conv.ID, 0)
	require.NoError(p.t, err)
	return list
}

// sayFile has the customer send f and returns the status that was answered.
func (p *play) sayFile(number int, f File) int {
	p.t.Helper()
	status, err := p.post(p.Media.Say(p.hook, number, f))
	require.NoError(p.t, err)
	p.taken()
	return status
}

// Pictures, voice notes and documents are fetched as the network wants it, and kept as what they are.
func testFilesIn(t *testing.T, p *play) {
	if p.Media.Say == nil {
		t.Skip("customers send no files here")
	}
	p.collect()
	for i, f := range []File{{Kind: "photo", Type: "image/png", Data: samples()["image/png"], Words: "CANARY-words"}, p.Media.Voice,
		{Kind: "document", Name: "Überweisung 1.pdf", Type: "application/pdf", Data: samples()["application/pdf"]}} {
		require.Equal(t, http.StatusOK, p.sayFile(i+1, f))
		if i == 0 { // the same again is nothing new
			require.Equal(t, http.StatusOK, p.sayFile(i+1, f))
		}
		p.soon("kept", func() bool { a := p.said().Attachments; return len(a) == 1 && a[0].Kept != "" })
		m := p.said()
		a := m.Attachments[0]
		require.Equal(t, []string{f.Words, f.Kind, f.Type}, []string{m.Text, a.Kind, a.Type})
		if f.Name != "" && !p.Media.Unnamed {
			require.Equal(t, f.Name, a.Name)
		}
		_, data, err := p.shelf.Get(t.Context(), a.Kept)
		require.NoError(t, err)
		require.Equal(t, f.Data, data)
		require.Len(t, p.transcript(), i+1)
	}
}

// A kind of file that we do not take is not kept, and what is no file says what it is; neither loses the words
// beside it, and neither goes unanswered.
func testFileKinds(t *testing.T, p *play) {
	if p.Media.Say == nil {
		t.Skip("customers send no files here")
	}
	p.collect()
	p.answer(100)
	f := File{Kind: "document", Name: "all.zip", Type: "application/zip", Data: []byte("PK\x03\x04 all"), Words: "CANARY-words"}
	if p.Media.AtOnce {
		require.Equal(t, http.StatusUnsupportedMediaType, p.sayFile(1, f))
		require.Empty(t, p.heard())
		return
	}
	require.Equal(t, http.StatusOK, p.sayFile(1, f))
	p.soon("lost", func() bool { a := p.said().Attachments; return len(a) == 1 && a[0].Lost == bot.LostType })
	require.Equal(t, f.Words, p.said().Text)
	p.soon("answered", func() bool { return count(p.Received(), "re: "+f.Words) == 1 })

	status, err := p.post(p.Media.Odd(p.hook, 2))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	p.taken()
	require.Len(t, p.said().Attachments, 1)
	require.NotEmpty(t, p.said().Attachments[0].Kind)
	p.soon("answered", func() bool { return len(p.Received()) == 2 })
}

func testFileTooLarge(t *testing.T, p *play) {
	if p.Media.Say == nil {
		t.Skip("customers send no files here")
	}
	p.collect()
	f := File{Kind: "photo", Type: "image/png", Data: append(samples()["image/png"], make([]byte, media.MaxBytes)...), Words: "CANARY-words"}
	if p.Media.AtOnce {
		require.Equal(t, http.StatusRequestEntityTooLarge, p.sayFile(1, f))
		require.Empty(t, p.heard())
		return
	}
	require.Equal(t, http.StatusOK, p.sayFile(1, f))
	p.soon("lost", func() bool { a := p.said().Attachments; return len(a) == 1 && a[0].Lost != "" })
	require.Contains(t, []string{bot.LostTooLarge, bot.LostGone}, p.said().Attachments[0].Lost) // where the network hands no such files out
	require.Equal(t, []string{f.Words}, p.heard())
}

// linkTo is the address of a file of ours, "" while it has none.
func (p *play) linkTo(m bot.Media) string {
	if !p.link.Load() {
		return ""
	}
	return "https://files.example/" + m.File
}

// ours is a file of ours of a type.
func (p *play) ours(name, mediaType string) *bot.Media {
	p.t.Helper()
	b, err := p.shelf.Put(p.t.Context(), name, strings.NewReader(string(samples()[mediaType])), media.Owner{})
	require.NoError(p.t, err)
	require.Equal(p.t, mediaType, b.Type)
	return &bot.Media{Kind: b.Kind(), File: b.ID, Name: name, Type: b.Type, Size: b.Size}
}

// begun has the customer say something, so that they can be written to, and runs the courier, with time running
// fast.
func (p *play) begun() bot.Conversation {
	p.t.Helper()
	p.carry(100)
	p.say(1, "hello")
	conv, err := p.conversations.Find(p.t.Context(), p.to())
	require.NoError(p.t, err)
	return conv
}

// settled reports whether every reply was sent, or never will be.
func (p *play) settled() bool {
	var n int
	require.NoError(p.t, p.db.QueryRowContext(p.t.Context(), `SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'queued'`).Scan(&n))
	return n == 0
}

// give says r to the customer, once whatever happens, and returns what they have then and had not before. A
// person of ours says it if r names one, else the bot.
func (p *play) give(conv bot.Conversation, key string, r bot.Reply) []Got {
	p.t.Helper()
	before := len(p.receivedFiles())
	if r.Agent == "" {
		require.NoError(p.t, p.conversations.Notify(p.t.Context(), conv.ID, r))
	} else {
		for range 2 {
			require.NoError(p.t, p.conversations.Say(p.t.Context(), conv.ID, key, r))
		}
	}
	p.courier.Poke()
	p.soon("settled", p.settled)
	return p.receivedFiles()[before:]
}

// receivedFiles is what the customer has of ours, oldest first.
func (p *play) receivedFiles() (list []Got) {
	if p.Media.Got != nil {
		return p.Media.Got()
	}
	for _, text := range p.Received() {
		list = append(list, Got{Words: text})
	}
	return list
}

// words are what the messages say, and files those that have one.
func words(list []Got) (said []string) {
	for _, g := range list {
		if g.Words != "" {
			said = append(said, g.Words)
		}
	}
	return said
}

func files(list []Got) []Got {
	return slices.DeleteFunc(slices.Clone(list), func(g Got) bool { return g.Kind == "" })
}

// requireFile requires that list has one file, which is m.
func (p *play) requireFile(list []Got, m *bot.Media) Got {
	p.t.Helper()
	got := files(list)
	require.Len(p.t, got, 1)
	if p.Media.Fetches && p.link.Load() {
		require.Equal(p.t, p.linkTo(*m), got[0].Link)
		return got[0]
	}
	require.Empty(p.t, got[0].Link)
	require.Equal(p.t, samples()[m.Type], got[0].Data)
	return got[0]
}

// Files of ours go out as what they are, with what is said about them, in one message where there is room.
func testFilesOut(t *testing.T, p *play) {
	if !p.Channel.Limits().Media {
		t.Skip("files of ours go as their links")
	}
	conv := p.begun()
	for _, linked := range []bool{true, false} {
		p.link.Store(linked)
		give := func(words string, m *bot.Media) []Got {
			return p.give(conv, fmt.Sprint(m.Name, linked), bot.Reply{Text: words, Media: m, Agent: "ann"})
		}
		photo := p.ours("plans.png", "image/png")
		got := give("CANARY-words", photo)
		require.Equal(t, "photo", p.requireFile(got, photo).Kind)
		require.Equal(t, []string{"CANARY-words"}, words(got))
		require.Equal(t, p.Channel.Limits().Caption > 0, len(got) == 1, "the words are under the picture")

		document := p.ours("Überweisung 1.pdf", "application/pdf")
		sent := p.requireFile(give("", document), document)
		require.Equal(t, "document", sent.Kind)
		if sent.Link == "" {
			require.Contains(t, []string{document.Name, "file.pdf"}, sent.Name) // where only ASCII is taken
		}
		sound := p.ours("welcome.m4a", "audio/mp4")
		got = give("CANARY-words", sound)
		require.Equal(t, "audio", p.requireFile(got, sound).Kind)
		require.Equal(t, []string{"CANARY-words"}, words(got), "sound has no words under it, and they are not lost")
	}
	require.Zero(t, p.desk.heard())
}

// What the network does not carry goes as its link; a network that carries all shows it somehow.
func testFileUncarried(t *testing.T, p *play) {
	conv := p.begun()
	p.link.Store(true)
	if p.Media.Uncarried == "" {
		for mediaType := range samples() {
			m := p.ours("a file", mediaType)
			p.requireFile(p.give(conv, mediaType, bot.Reply{Media: m, Agent: "ann"}), m)
		}
		return
	}
	m := p.ours("our file", p.Media.Uncarried)
	got := p.give(conv, "k", bot.Reply{Text: "CANARY-words", Media: m, Agent: "ann"})
	require.Empty(t, files(got))
	said := strings.Join(words(got), "\n")
	for _, part := range []string{"CANARY-words", "our file", p.linkTo(*m)} {
		require.Equal(t, 1, strings.Count(said, part), part)
	}
	require.Zero(t, p.desk.heard())
}

// A file that could not be given to the network is given again; one that was, is not sent twice.
func testFileFails(t *testing.T, p *play) {
	if p.Media.Fail == nil {
		t.Skip("nobody takes files from us but customers themselves")
	}
	conv := p.begun()
	for _, f := range []Failure{Throttled, Broken, Lost} {
		p.Media.Fail(f, false)
		got := files(p.give(conv, string(f), bot.Reply{Media: p.ours(string(f)+".png", "image/png"), Agent: "ann"}))
		require.NotEmpty(t, got, f)
		if f == Lost && p.Channel.Limits().Resend {
			require.LessOrEqual(t, len(got), 2)
			continue
		}
		require.Len(t, got, 1, f)
	}
	require.Zero(t, p.desk.heard())
}

// A file that the network refuses goes as its link. Without one the bot's words go alone, and people of ours
// hear that theirs did not get through.
func testFileRefused(t *testing.T, p *play) {
	if p.Media.Fail == nil {
		t.Skip("nobody takes files from us but customers themselves")
	}
	conv := p.begun()
	for _, linked := range []bool{true, false} {
		p.link.Store(linked)
		m := p.ours("plans.png", "image/png")
		p.Media.Fail(Refused, linked)
		got := p.give(conv, "", bot.Reply{Text: "CANARY-words", Media: m})
		require.Empty(t, files(got))
		said := strings.Join(words(got), "\n")
		require.Equal(t, 1, strings.Count(said, "CANARY-words"))
		require.Equal(t, linked, strings.Contains(said, cmp.Or(p.linkTo(*m), "https://")))
	}
	told := p.desk.heard()
	p.Media.Fail(Refused, false)
	require.Empty(t, files(p.give(conv, "k", bot.Reply{Text: "see", Media: p.ours("plans.png", "image/png"), Agent: "ann"})))
	p.soon("the desk is told", func() bool { return p.desk.heard() > told })
}
