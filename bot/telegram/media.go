package telegram

import (
	"net/url"
	"strings"

	"faqbot/bot"
	"faqbot/bot/lenient"
)

// media are the kinds of content a message can have besides text.
type media struct {
	Photo     []file    `json:"photo"` // sizes, ascending
	Voice     *file     `json:"voice"`
	Audio     *file     `json:"audio"`
	Video     *file     `json:"video"`
	VideoNote *file     `json:"video_note"`
	Animation *file     `json:"animation"` // comes with a document that repeats it
	Document  *file     `json:"document"`
	Sticker   *sticker  `json:"sticker"`
	Location  *location `json:"location"`
	Venue     *venue    `json:"venue"` // comes with a location that repeats it
	Contact   *contact  `json:"contact"`
	Poll      *poll     `json:"poll"`
	Dice      *dice     `json:"dice"`
	Story     *story    `json:"story"`
	Game      *struct {
		Title string `json:"title"`
	} `json:"game"`
	PaidMedia *struct {
		Stars lenient.Text `json:"star_count"`
	} `json:"paid_media"`
	Checklist *struct {
		Title string `json:"title"`
		Tasks []struct {
			Text string       `json:"text"`
			Done lenient.Text `json:"completion_date"`
		} `json:"tasks"`
	} `json:"checklist"`
	WebApp *struct {
		Data   string `json:"data"`
		Button string `json:"button_text"`
	} `json:"web_app_data"`
	Gift *struct {
		Text string `json:"text"`
	} `json:"gift"`
	Invoice *struct {
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"invoice"`
	Payment *struct {
		Currency string       `json:"currency"`
		Total    lenient.Text `json:"total_amount"` // in the smallest units of the currency
		Payload  string       `json:"invoice_payload"`
	} `json:"successful_payment"`
}

type story struct {
	Chat *chat        `json:"chat"`
	ID   lenient.Text `json:"id"`
}

type file struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	Title string `json:"title"`
	Type  string `json:"mime_type"`
	Size  int64  `json:"file_size"` // bytes
	Plays int    `json:"duration"`  // seconds
}

type sticker struct {
	file
	Emoji    string `json:"emoji"`
	Animated bool   `json:"is_animated"`
	Video    bool   `json:"is_video"`
}

// A location keeps its numbers as Telegram wrote them.
type location struct {
	Latitude  lenient.Text `json:"latitude"`
	Longitude lenient.Text `json:"longitude"`
}

type venue struct {
	Title    string   `json:"title"`
	Address  string   `json:"address"`
	Location location `json:"location"`
}

type contact struct {
	First string `json:"first_name"`
	Last  string `json:"last_name"`
	Phone string `json:"phone_number"`
	User  int64  `json:"user_id"` // whose it is, if they are on Telegram
}

type poll struct {
	Question string `json:"question"`
}

type dice struct {
	Emoji string       `json:"emoji"`
	Value lenient.Text `json:"value"`
}

// attachments lists what came with a message. Whatever is not a file says in its Name what it is.
func (m *media) attachments() (list []bot.Attachment) {
	add := func(kind string, f *file, mediaType string) {
		if f == nil {
			return
		}
		a := bot.Attachment{Kind: kind, File: f.ID, Name: f.Name, Type: f.Type, Size: max(f.Size, 0), Seconds: max(f.Plays, 0)}
		if a.Name == "" {
			a.Name = f.Title
		}
		if a.Type == "" {
			a.Type = mediaType
		}
		list = append(list, a)
	}
	if n := len(m.Photo); n > 0 {
		add("photo", &m.Photo[n-1], "image/jpeg")
	}
	add("voice", m.Voice, "audio/ogg")
	add("audio", m.Audio, "")
	add("video", m.Video, "")
	add("video", m.VideoNote, "video/mp4")
	add("video", m.Animation, "video/mp4")
	if m.Animation == nil {
		add("document", m.Document, "")
	}
	if m.Sticker != nil {
		add("sticker", &file{ID: m.Sticker.ID, Name: m.Sticker.Emoji, Size: m.Sticker.Size}, m.Sticker.mediaType())
	}
	return append(list, m.things()...)
}

// things lists what came with a message and is no file.
func (m *media) things() (list []bot.Attachment) {
	add := func(kind string, words ...string) {
		var said []string
		for _, w := range words {
			if w != "" {
				said = append(said, w)
			}
		}
		list = append(list, bot.Attachment{Kind: kind, Name: strings.Join(said, ", ")})
	}
	switch {
	case m.Venue != nil:
		add("location", m.Venue.Title, m.Venue.Address, m.Venue.Location.String())
	case m.Location != nil:
		add("location", m.Location.String())
	}
	if c := m.Contact; c != nil {
		add("contact", strings.TrimSpace(c.First+" "+c.Last), c.Phone)
	}
	if m.Poll != nil {
		add("other", m.Poll.Question)
	}
	if m.Dice != nil {
		add("other", strings.TrimSpace(m.Dice.Emoji+" "+string(m.Dice.Value)))
	}
	if m.Game != nil {
		add("other", m.Game.Title)
	}
	if m.PaidMedia != nil {
		add("other", "paid media, "+string(m.PaidMedia.Stars)+" stars")
	}
	if m.Invoice != nil {
		add(bot.KindProduct, m.Invoice.Title, m.Invoice.Description)
	}
	list = append(list, m.filledIn()...)
	if m.Story != nil {
		list = append(list, bot.Attachment{Kind: bot.KindStory, Link: m.Story.link()})
	}
	return list
}

// filledIn lists what a customer filled in, ordered or gave.
func (m *media) filledIn() (list []bot.Attachment) {
	add := func(kind, words string) { list = append(list, bot.Attachment{Kind: kind, Name: words}) }
	if c := m.Checklist; c != nil {
		var tasks []string
		for _, t := range c.Tasks {
			if t.Done != "" {
				t.Text += " ✓"
			}
			tasks = append(tasks, t.Text)
		}
		add(bot.KindChecklist, strings.TrimSuffix(c.Title+": "+strings.Join(tasks, ", "), ": "))
	}
	if w := m.WebApp; w != nil {
		add(bot.KindForm, strings.TrimPrefix(w.Button+": "+lenient.FormWords(w.Data), ": "))
	}
	if m.Gift != nil {
		add(bot.KindGift, m.Gift.Text)
	}
	if p := m.Payment; p != nil {
		add(bot.KindOrder, strings.TrimSpace(p.Payload+" "+string(p.Total)+" "+p.Currency))
	}
	return list
}

func (l location) String() string { return string(l.Latitude + " " + l.Longitude) }

// link is where a public story is shown, "" if it is not public.
func (s *story) link() string {
	if s.Chat == nil || s.Chat.Username == "" || s.ID == "" {
		return ""
	}
	return "https://t.me/" + url.PathEscape(s.Chat.Username) + "/s/" + url.PathEscape(string(s.ID))
}

func (s *sticker) mediaType() string {
	switch {
	case s.Animated:
		return "application/x-tgsticker"
	case s.Video:
		return "video/webm"
	}
	return "image/webp"
}
