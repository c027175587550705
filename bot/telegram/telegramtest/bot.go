package telegramtest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Bot is one bot and everything that its customers said to it and heard from it.
type Bot struct {
	ID       int64
	Username string

	server *Server

	mu          sync.Mutex
	changed     chan struct{} // closed, and replaced, at every change
	chats       map[int64]*chat
	faults      []*Fault
	calls       map[string]int // by lower-case method
	commands    map[string][]Command
	taps        map[string]*tap    // by callback ID
	files       map[string]*stored // by Telegram's name
	web         map[string]WebFile // by link
	faces       map[int64]string   // profile pictures by customer: Telegram\'s names for them
	paced       bool               // refuse more than one message a second to one chat
	nextUpdate  int64
	nextMessage int64

	updates   []*update // ascending
	head      int       // updates before it are done
	pending   int       // updates that are not done
	byID      map[int64]*update
	queues    map[string]*queue // by queueKey
	ready     []*queue          // to be delivered by nobody yet
	allowed   []string          // kinds that are kept; all if empty
	polls     int               // getUpdates calls begun; only the last may wait
	hook      hook
	first     time.Duration // the first wait before a repeated delivery; each is twice the one before
	most      time.Duration
	duplicate int // every how many deliveries one is posted twice
	posts     int
	clock     time.Duration // ahead of ours
	bodies    int           // answers to deliveries that were not empty
	accepted  []Accepted
}

// A chat is one chat as the bot sees it.
type chat struct {
	id       int64
	known    bool // somebody wrote to the bot there
	met      bool // its customer wrote to the bot in a group
	blocked  bool
	migrated int64
	language string
	sent     []*SentMessage
	heard    map[int64]bool // messages of customers, by number
	actions  int            // "typing" signs shown
	last     time.Time
	changed  chan struct{} // closed, and replaced, whenever sent changes
}

// A tap is a callback query that waits to be answered.
type tap struct {
	answered, expired bool
}

// A Command is one line of the bot's menu.
type Command struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

func newBot(s *Server, token string) *Bot {
	number, _, _ := strings.Cut(token, ":")
	id, _ := strconv.ParseInt(number, 10, 64)
	return &Bot{ID: id, Username: "Bot" + number + "Bot", server: s, changed: make(chan struct{}), chats: map[int64]*chat{},
		calls: map[string]int{}, commands: map[string][]Command{}, taps: map[string]*tap{}, files: map[string]*stored{}, web: map[string]WebFile{}, faces: map[int64]string{}, nextUpdate: 1000, nextMessage: 1,
		byID: map[int64]*update{}, queues: map[string]*queue{}, first: 10 * time.Millisecond, most: 250 * time.Millisecond}
}

// announce wakes whoever waits for a change. b.mu is held.
func (b *Bot) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}

func (c *chat) announce() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// chat is the chat of id. b.mu is held.
func (b *Bot) chat(id int64) *chat {
	c := b.chats[id]
	if c == nil {
		c = &chat{id: id, language: "en", heard: map[int64]bool{}, changed: make(chan struct{})}
		b.chats[id] = c
	}
	return c
}

// serve carries out one call, or the fault that is laid in its way.
func (b *Bot) serve(w http.ResponseWriter, r *http.Request, method string, p params) {
	do := b.method(method)
	if do == nil {
		refuse(w, &refusal{code: http.StatusNotFound, description: "Not Found: method not found"})
		return
	}
	b.mu.Lock()
	b.calls[method]++
	if b.clock != 0 {
		w.Header().Set("Date", time.Now().Add(b.clock).UTC().Format(http.TimeFormat))
	}
	f := b.matchFault(method, p.number("chat_id"))
	b.announce()
	b.mu.Unlock()
	if f == nil || f.Accept {
		result, failed := do(r.Context(), p)
		if f == nil {
			if failed != nil {
				refuse(w, failed)
				return
			}
			write(w, http.StatusOK, map[string]any{"ok": true, "result": result})
			return
		}
	}
	f.play(w, r)
}

// method is what carries out the method of that lower-case name, nil if there is none.
func (b *Bot) method(name string) func(context.Context, params) (any, *refusal) {
	locked := func(do func(params) (any, *refusal)) func(context.Context, params) (any, *refusal) {
		return func(_ context.Context, p params) (any, *refusal) {
			b.mu.Lock()
			defer b.mu.Unlock()
			defer b.announce()
			return do(p)
		}
	}
	switch name {
	case "getme":
		return locked(b.getMe)
	case "sendmessage":
		return locked(b.sendMessage)
	case "sendphoto", "sendvideo", "sendaudio", "senddocument":
		return locked(b.send(strings.TrimPrefix(name, "send")))
	case "getuserprofilephotos":
		return locked(b.getUserProfilePhotos)
	case "getfile":
		return locked(b.getFile)
	case "editmessagetext":
		return locked(b.editMessageText)
	case "sendchataction":
		return locked(b.sendChatAction)
	case "answercallbackquery":
		return locked(b.answerCallbackQuery)
	case "setmycommands":
		return locked(b.setMyCommands)
	case "setwebhook":
		return locked(b.setWebhook)
	case "deletewebhook":
		return locked(b.deleteWebhook)
	case "getwebhookinfo":
		return locked(b.getWebhookInfo)
	case "getupdates":
		return b.getUpdates
	}
	return nil
}

// A Fault makes calls fail.
type Fault struct {
	Method string // which calls, "" for all
	Chat   int64  // to which chat, 0 for all
	Times  int    // how many; 1 if 0, all if negative

	// Exactly one of these is what happens.
	Code int  // an answer with this error_code
	HTML bool // a proxy's page, with status 502
	Hang bool // no answer until the caller gives up
	Drop bool // the connection is cut without an answer

	Description string // with Code; what Telegram says of it if ""
	RetryAfter  int    // seconds, with Code 429
	Accept      bool   // the call is carried out all the same: only its answer is lost
}

// Inject lays f in the way of the next calls that it fits, after the faults injected before.
func (b *Bot) Inject(f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.Method = strings.ToLower(f.Method)
	if f.Times == 0 {
		f.Times = 1
	}
	b.faults = append(b.faults, &f)
}

// SetClock sets how far Telegram's clock is ahead of ours.
func (b *Bot) SetClock(ahead time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = ahead
}

// ClearFaults takes all faults away.
func (b *Bot) ClearFaults() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = nil
}

// matchFault uses up the matchFault that fits a call. b.mu is held.
func (b *Bot) matchFault(method string, chat int64) *Fault {
	for i, f := range b.faults {
		if f.Method != "" && f.Method != method || f.Chat != 0 && f.Chat != chat {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				b.faults = slices.Delete(b.faults, i, i+1)
			}
		}
		used := *f
		return &used
	}
	return nil
}

// play lets f happen to a call.
func (f *Fault) play(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"))
	case f.Hang:
		<-r.Context().Done() // also when the server closes
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler) // closes the connection, as net/http documents
	default:
		refuse(w, &refusal{code: f.Code, description: f.words(), retryAfter: f.RetryAfter})
	}
}

func (f *Fault) words() string {
	if f.Description != "" {
		return f.Description
	}
	switch f.Code {
	case http.StatusTooManyRequests:
		return "Too Many Requests: retry after " + strconv.Itoa(f.RetryAfter)
	case http.StatusForbidden:
		return "Forbidden: bot was blocked by the user"
	case http.StatusConflict:
		return "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
	}
	return http.StatusText(f.Code)
}
