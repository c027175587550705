package telegram

import (
	"strings"
	"unicode/utf16"
)

// read returns what m says to us. ours is false if no customer said it, or not to us: in a private
// chat everything is for us, in a group a command, a mention or a reply is.
func (c *Channel) read(m *message) (text string, ours bool) {
	nobody := m.From == nil || m.From.ID == 0
	if m.Chat == nil || m.Chat.ID == 0 || nobody && m.Chat.Type != "private" || m.From != nil && m.From.IsBot || m.SenderChat != nil {
		return "", false
	}
	text, entities := m.Text, m.Entities
	if text == "" {
		text, entities = m.Caption, m.InCaption
	}
	switch m.Chat.Type {
	case "private":
		text, _ = c.command(text)
		return text, true
	case "group", "supergroup":
	default:
		return "", false
	}
	if bare, called := c.command(text); called {
		return bare, true
	}
	if bare, called := c.mentioned(text, entities); called {
		return bare, true
	}
	return text, m.ReplyTo != nil && m.ReplyTo.From != nil && m.ReplyTo.From.ID == c.id
}

// command reports whether text begins with a command to us, and returns it without our name.
// Without a name only the commands we register are ours.
func (c *Channel) command(text string) (bare string, ours bool) {
	if !strings.HasPrefix(text, "/") {
		return text, false
	}
	end := strings.IndexAny(text, " \n\t")
	if end < 0 {
		end = len(text)
	}
	name, whose, named := strings.Cut(text[:end], "@")
	if named {
		if !c.isName(whose) {
			return text, false
		}
		return name + text[end:], true
	}
	switch strings.ToLower(name) {
	case "/start", "/help", "/human", "/bot":
		return text, true
	}
	return text, false
}

// isName reports whether name is the bot's own. Before getMe told it, no name is.
func (c *Channel) isName(name string) bool {
	known := c.username.Load()
	return known != nil && *known != "" && strings.EqualFold(name, *known)
}

// mentioned reports whether text mentions us, and returns it without the mentions.
func (c *Channel) mentioned(text string, entities []entity) (bare string, ours bool) {
	units := utf16.Encode([]rune(text))
	var kept []uint16
	from := 0
	for _, e := range entities { // in order, and they do not overlap each other if of these types
		if e.Offset < from || e.Length <= 0 || e.Offset > len(units) || e.Length > len(units)-e.Offset {
			continue
		}
		words := string(utf16.Decode(units[e.Offset : e.Offset+e.Length]))
		name, isMention := strings.CutPrefix(words, "@")
		switch {
		case e.Type == "mention" && isMention && c.isName(name):
		case e.Type == "text_mention" && e.User != nil && e.User.ID == c.id:
		default:
			continue
		}
		kept = append(kept, units[from:e.Offset]...)
		from = e.Offset + e.Length
		// "@Bot, what…" and "tell me @Bot what…" must not leave a comma or two spaces behind.
		for from < len(units) && (len(kept) == 0 && strings.ContainsRune(" ,:", rune(units[from])) ||
			len(kept) > 0 && kept[len(kept)-1] == ' ' && units[from] == ' ') {
			from++
		}
		ours = true
	}
	if !ours {
		return text, false
	}
	return strings.TrimSpace(string(utf16.Decode(append(kept, units[from:]...)))), true
}
