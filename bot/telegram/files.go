package telegram

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"faqbot/bot"
	"faqbot/bot/exchange"
	kept "faqbot/knowledge/media"
)

// photoMost is the most bytes of a picture that Telegram shows as one.
const photoMost = 10 << 20

// Fetch asks where a file is, which Telegram tells for an hour, and opens it. Files of more than 20 MB are
// handed out to nobody. The address has the token in it: it is in no error.
func (c *Channel) Fetch(ctx context.Context, a bot.Attachment) (io.ReadCloser, error) {
	f, err := c.api.GetFile(ctx, &tg.GetFileParams{FileID: a.File})
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.code == http.StatusBadRequest {
		return nil, fmt.Errorf("%w: %w", bot.ErrNoFile, refusal)
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a file: %w", sendError(err))
	}
	if f.FilePath == "" || slices.Contains(strings.Split(f.FilePath, "/"), "..") {
		return nil, bot.ErrNoFile
	}
	r, err := c.download.Open(ctx, c.base+"/file/bot"+c.token+"/"+(&url.URL{Path: f.FilePath}).EscapedPath())
	if errors.Is(err, kept.ErrHost) || errors.Is(err, kept.ErrPrivate) {
		return nil, fmt.Errorf("%w: %w", bot.ErrNoFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch a file: %w", err)
	}
	return r, nil
}

// faceSide is how large a profile picture must be at least, in pixels a side: as large as a desk shows it, on a sharp screen.
const faceSide = 160

// Profile asks for a customer's profile picture. Their name comes with each message.
func (c *Channel) Profile(ctx context.Context, customer string) (bot.Profile, error) {
	at, err := parsePlace(customer)
	if err != nil || at.private().chat <= 0 { // nobody in particular
		return bot.Profile{}, err
	}
	found, err := c.api.GetUserProfilePhotos(ctx, &tg.GetUserProfilePhotosParams{UserID: at.private().chat, Limit: 1})
	if err != nil {
		return bot.Profile{}, fmt.Errorf("ask for a profile picture: %w", sendError(err))
	}
	p := bot.Profile{}
	for _, sizes := range found.Photos[:min(len(found.Photos), 1)] {
		for _, one := range sizes { // ascending
			p.Picture = bot.Attachment{Kind: "photo", File: one.FileID}
			if min(one.Width, one.Height) >= faceSide {
				break
			}
		}
	}
	return p, nil
}

// fileIDs are Telegram's names for files of ours that were sent before, so that each is uploaded once and
// not to every customer. They are good for as long as the bot lives.
type fileIDs struct {
	mu     sync.Mutex
	byFile map[string]string
}

// fileIDsMost bounds what is remembered; then it begins anew.
const fileIDsMost = 10_000

func (f *fileIDs) get(file string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byFile[file]
}

func (f *fileIDs) set(file, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case id == "":
		delete(f.byFile, file)
		return
	case len(f.byFile) >= fileIDsMost:
		clear(f.byFile)
	}
	f.byFile[file] = id
}

// sendMedia sends r's file with r's words under it: one of ours by Telegram's name for it, or else by its
// content; another by its link, from where Telegram fetches it.
func (c *Channel) sendMedia(ctx context.Context, at place, r bot.Reply, mode models.ParseMode) (*models.Message, error) {
	m := *r.Media
	if m.File == "" || c.files == nil {
		return c.sendFile(ctx, at, r, mode, &models.InputFileString{Data: m.Link})
	}
	if id := c.known.get(m.File); id != "" {
		sent, err := c.sendFile(ctx, at, r, mode, &models.InputFileString{Data: id})
		if refusal, ok := errors.AsType[*apiError](err); !ok || !refusal.says(phraseFile) {
			return sent, err
		}
		c.known.set(m.File, "")
	}
	_, data, err := c.files.Get(ctx, m.File)
	if errors.Is(err, kept.ErrNotFound) {
		return nil, &apiError{code: http.StatusBadRequest, description: phraseFile}
	}
	if err != nil {
		return nil, &exchange.LostError{Network: networkName, Unsent: true, What: "the file could not be read", Cause: ctx.Err()}
	}
	sent, err := c.sendFile(ctx, at, r, mode, &models.InputFileUpload{Filename: cmp.Or(m.Name, "file"), Data: bytes.NewReader(data)})
	if err == nil && sent.Document != nil {
		c.known.set(m.File, sent.Document.FileID)
	}
	return sent, err
}

// sendFile sends f the way that shows it best. What Telegram shows in no way of its own goes as a document.
func (c *Channel) sendFile(ctx context.Context, at place, r bot.Reply, mode models.ParseMode, f models.InputFile) (*models.Message, error) {
	words, quote := words(at, r, mode, maxCaption), quoting(r)
	var buttons models.ReplyMarkup
	if len(r.Choices) > 0 {
		buttons = keyboard(r.Choices)
	}
	thread := int(at.thread)
	switch shownAs(*r.Media) {
	case "photo":
		return c.api.SendPhoto(ctx, &tg.SendPhotoParams{ChatID: at.chat, MessageThreadID: thread, Photo: f, Caption: words, ParseMode: mode, ReplyMarkup: buttons, ReplyParameters: quote})
	case "video":
		return c.api.SendVideo(ctx, &tg.SendVideoParams{ChatID: at.chat, MessageThreadID: thread, Video: f, Caption: words, ParseMode: mode, ReplyMarkup: buttons, ReplyParameters: quote})
	case "audio":
		return c.api.SendAudio(ctx, &tg.SendAudioParams{ChatID: at.chat, MessageThreadID: thread, Audio: f, Caption: words, ParseMode: mode, ReplyMarkup: buttons, ReplyParameters: quote})
	}
	return c.api.SendDocument(ctx, &tg.SendDocumentParams{ChatID: at.chat, MessageThreadID: thread, Document: f, Caption: words, ParseMode: mode, ReplyMarkup: buttons, ReplyParameters: quote})
}

// shownAs is the way in which Telegram takes m: it knows photos of JPEG, PNG and WebP, MPEG-4 videos,
// and MP3 and M4A sound (https://core.telegram.org/bots/api#sending-files). Of a link it must find out.
func shownAs(m bot.Media) string {
	if m.Type == "" {
		return m.Kind
	}
	switch {
	case m.Size <= photoMost && slices.Contains([]string{"image/jpeg", "image/png", "image/webp"}, m.Type):
		return "photo"
	case m.Type == "video/mp4":
		return "video"
	case m.Type == "audio/mpeg", m.Type == "audio/mp4":
		return "audio"
	}
	return "document"
}
