package telegram

import (
	"encoding/json"
	"strings"

	"faqbot/bot"
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
	Story     *struct{} `json:"story"`
	Game      *struct{} `json:"game"`
	PaidMedia *struct{} `json:"paid_media"`
	Checklist *struct{} `json:"checklist"`
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
	Latitude  json.Number `json:"latitude"`
	Longitude json.Number `json:"longitude"`
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
	Emoji string      `json:"emoji"`
	Value json.Number `json:"value"`
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
		add("other", strings.TrimSpace(m.Dice.Emoji+" "+m.Dice.Value.String()))
	}
	if m.Story != nil || m.Game != nil || m.PaidMedia != nil || m.Checklist != nil {
		add("other")
	}
	return list
}

func (l location) String() string { return l.Latitude.String() + " " + l.Longitude.String() }

func (s *sticker) mediaType() string {
	switch {
	case s.Animated:
		return "application/x-tgsticker"
	case s.Video:
		return "video/webm"
	}
	return "image/webp"
}
