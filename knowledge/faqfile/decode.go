package faqfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"faqbot/knowledge"
)

// decode returns data as text with lines ending in "\n" and no control characters but that and the
// tab, and what the author should know about the encoding, with no Text if nothing. chosen is the name of the
// encoding that somebody chose; text that is sound UTF-8 or UTF-16 needs none.
func decode(data []byte, chosen string) (text string, note knowledge.Problem) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return plain(transcode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), data[2:])), note
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return plain(transcode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), data[2:])), note
	}
	if order, ok := utf16Order(data); ok {
		return plain(transcode(unicode.UTF16(order, unicode.IgnoreBOM), data)), note
	}
	if utf8.Valid(data) {
		return plain(string(data)), note
	}
	if chosen != "" {
		return guessEncoding(data, chosen)
	}
	letters, bad, line := damage(data)
	const few = 8 // bytes of Windows-1252 for each sound letter, where two files were pasted together
	if letters > bad || letters > 1 && letters*few > bad && isolatedShare(stray(data)) > 1.0/2 {
		note.Text = fmt.Sprintf("The text is UTF-8 but for %d bytes, the first on line %d, which were read as Windows-1252. Look at the letters there, or save the file as UTF-8 again.", bad, line)
		return plain(mixed(data)), note
	}
	if declared := declaredEncoding(data); declared != nil {
		return plain(transcode(declared, data)), note
	}
	return guessEncoding(data, "")
}

// stray is data with a space in place of each sound letter beyond ASCII.
func stray(data []byte) []byte {
	var b []byte
	for len(data) > 0 {
		_, n := utf8.DecodeRune(data)
		if n > 1 {
			b = append(b, ' ')
		} else {
			b = append(b, data[0])
		}
		data = data[n:]
	}
	return b
}

// mixed decodes UTF-8 with pieces of Windows-1252 in it, as pasted files have. A byte of all ones is no
// letter but a filler, and is left out.
func mixed(data []byte) string {
	var b strings.Builder
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r != utf8.RuneError || n > 1:
			b.WriteRune(r)
		case data[0] != 0xff:
			b.WriteRune(charmap.Windows1252.DecodeByte(data[0]))
		}
		data = data[n:]
	}
	return b.String()
}

// transcode decodes data. None of the decoders used here fails: what cannot be decoded becomes U+FFFD.
func transcode(from encoding.Encoding, data []byte) string {
	text, err := from.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "")
	}
	return string(text)
}

// utf16Order recognises UTF-16 without a byte order mark: its spaces, commas and line ends have
// zeros on one side. A stray zero in other text does not make it UTF-16.
func utf16Order(data []byte) (unicode.Endianness, bool) {
	head := data[:min(len(data), 1<<14)&^1]
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	enough := max(2, len(head)/2*3/100)
	switch {
	case zeros[1] >= enough && zeros[1] >= 4*zeros[0]:
		return unicode.LittleEndian, true
	case zeros[0] >= enough && zeros[0] >= 4*zeros[1]:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// damage counts the letters outside ASCII that are sound UTF-8 and the bytes that are not, and
// returns the line of the first of those.
func damage(data []byte) (letters, bad, line int) {
	at := 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			at++
		case r == utf8.RuneError && n == 1:
			if bad++; bad == 1 {
				line = at
			}
		case n > 1:
			letters++
		}
		data = data[n:]
	}
	return letters, bad, line
}

// plain normalises line ends and drops control characters.
func plain(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2028', r == '\u2029':
			return '\n'
		case r == '\n', r == '\t':
			return r
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\ufeff', r == '\ufffe', r == '\uffff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// oneLine returns s as a line of clean text: questions, keys, topics.
func oneLine(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(plain(s)), " "))
}

// paragraphs returns s as clean text that keeps its lines, with one empty line at most between two:
// answers.
func paragraphs(s string) string {
	var lines []string
	for line := range strings.SplitSeq(plain(s), "\n") {
		line = strings.TrimRight(line, " \t\u00a0")
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return norm.NFC.String(strings.TrimSpace(strings.Join(lines, "\n")))
}
