// Package fit cuts replies to what a channel can carry.
package fit

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"faqbot/bot"
)

// Split cuts r into messages that keep l. Text is split between paragraphs, else lines, else
// sentences, else words, else characters; the buttons stay under the last part. A channel without
// buttons gets them as numbered lines.
func Split(r bot.Reply, l bot.Limits) []bot.Reply {
	if r.Template != nil { // the network knows its words already
		return []bot.Reply{r}
	}
	if r.Media != nil {
		return fitMedia(r, l)
	}
	if l.Choices < len(r.Choices) {
		r.Text = numbered(r.Text, r.Choices)
		r.Choices = nil
	}
	r.Choices = append([]bot.Choice(nil), r.Choices...)
	for i, c := range r.Choices {
		r.Choices[i].Label = Shorten(c.Label, l.Label)
	}
	parts := splitText(r.Text, l)
	list := make([]bot.Reply, len(parts))
	for i, text := range parts {
		list[i] = bot.Reply{Text: text, Entry: r.Entry, Agent: r.Agent}
	}
	list[0].Quote = r.Quote
	list[len(list)-1].Choices = r.Choices
	return list
}

// fitMedia sends a file with its words under it, or before them where they do not fit, or as a link. Sound
// has no words under it: on WhatsApp they would be lost. A file of ours gets its link only when it is sent:
// the courier says it then.
func fitMedia(r bot.Reply, l bot.Limits) []bot.Reply {
	words := r
	words.Media = nil
	switch {
	case !l.Media && r.Media.File == "":
		words.Text = strings.TrimSpace(r.Text + "\n" + r.Media.Link)
		return Split(words, l)
	case len(r.Choices) == 0 && (r.Text == "" || r.Media.Kind != "audio" && UTF16Len(r.Text) <= l.Caption):
		return []bot.Reply{r}
	}
	file := bot.Reply{Media: r.Media, Entry: r.Entry, Agent: r.Agent, Quote: r.Quote}
	words.Quote = ""
	return append([]bot.Reply{file}, Split(words, l)...)
}

func numbered(text string, choices []bot.Choice) string {
	var b strings.Builder
	b.WriteString(text)
	for i, c := range choices {
		fmt.Fprintf(&b, "\n%d. %s", i+1, c.Label)
	}
	return b.String()
}

// UTF16Len is the length of s in UTF-16 units, by which networks count.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// utf16Prefix is the length in bytes of the longest prefix of s that has at most most units.
func utf16Prefix(s string, most int) int {
	n := 0
	for i, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
		if n > most {
			return i
		}
	}
	return len(s)
}

// Shorten cuts s to most UTF-16 units, with an ellipsis where it was cut; 0 leaves it as it is.
func Shorten(s string, most int) string {
	if most == 0 || UTF16Len(s) <= most {
		return s
	}
	return strings.TrimRight(s[:utf16Prefix(s, most-1)], " ") + "…"
}

// bytePrefix is the length of the longest prefix of s that has at most most bytes and ends no
// character in the middle; all of s if most is 0.
func bytePrefix(s string, most int) int {
	if most == 0 || len(s) <= most {
		return len(s)
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return most
}

func splitText(text string, l bot.Limits) []string {
	var parts []string
	for l.Text > 0 {
		head := text[:min(utf16Prefix(text, l.Text), bytePrefix(text, l.Bytes))]
		if len(head) == len(text) {
			break
		}
		at := splitPoint(head)
		if part := strings.TrimSpace(text[:at]); part != "" {
			parts = append(parts, part)
		}
		text = strings.TrimSpace(text[at:])
	}
	if text != "" || len(parts) == 0 {
		parts = append(parts, text)
	}
	return parts
}

// splitPoint is where to cut head, which ends where no more fits: after the last paragraph, line,
// sentence or word that leaves the part at least half full.
func splitPoint(head string) int {
	for _, sep := range []string{"\n\n", "\n", ". ", " "} {
		if i := strings.LastIndex(head, sep); i >= len(head)/2 {
			return i + len(sep)
		}
	}
	return len(head)
}
