package faqfile

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// What a row's media may be.
const (
	MaxMedia    = 10   // files and links of one entry
	MaxLink     = 2000 // characters
	MaxFileName = 200  // characters

	maxMediaProblems = 6 // told of one row
)

// readMedia reads a cell of links and names of files, split as variants are. What is wrong with one costs none of the others.
func readMedia(cell string) (list []knowledge.Media, problems []string) {
	seen := map[string]bool{}
	for _, word := range splitVariants(cell) {
		word = oneLine(word)
		if word == "" || seen[word] {
			continue
		}
		seen[word] = true
		if len(list) == MaxMedia {
			return list, append(problems, fmt.Sprintf("An answer can have at most %d files and links; those after them were left out.", MaxMedia))
		}
		m, wrong := readOneMedia(word)
		if wrong != "" {
			if problems = append(problems, wrong); len(problems) > maxMediaProblems {
				problems[maxMediaProblems] = "More of the row's files and links cannot be used. Fix them, too."
				return list, problems
			}
			continue
		}
		list = append(list, m)
	}
	return list, problems
}

// readOneMedia reads a link or the name of a file, behind which may stand in quotes what a picture shows.
func readOneMedia(word string) (m knowledge.Media, wrong string) {
	if bare, alt, quoted := strings.Cut(strings.TrimSuffix(word, `"`), ` "`); quoted && strings.HasSuffix(word, `"`) {
		if m, wrong = readOneMedia(strings.TrimSpace(bare)); m.Kind == kindPhoto {
			m.Alt = plaintext.Cut(strings.ReplaceAll(alt, `"`, "'"), limits.MaxAlt)
		}
		return m, wrong
	}
	scheme, _, isLink := strings.Cut(word, "://")
	if !isLink {
		name := strings.ReplaceAll(word, `\`, "/")
		if utf8.RuneCountInString(name) > MaxFileName || strings.HasSuffix(name, "/") || strings.Contains("/"+name+"/", "/../") || strings.Contains(name, ":") {
			return m, fmt.Sprintf("%s is neither a link nor the name of a file. Write a link that begins with https://, or a name like plans.png.", quote(word))
		}
		return knowledge.Media{Kind: kindOf(name), Name: name}, ""
	}
	u, err := url.Parse(word)
	switch {
	case !strings.EqualFold(scheme, "https"):
		return m, fmt.Sprintf("The link %s does not begin with https://. Networks show files from no other address; put it where it has one, or send the file itself.", quote(word))
	case utf8.RuneCountInString(word) > MaxLink:
		return m, fmt.Sprintf("The link %s has more than %d characters. Use a shorter one.", quote(word), MaxLink)
	case err != nil, u.User != nil, !strings.Contains(u.Hostname(), "."), isAddress(u.Hostname()):
		return m, fmt.Sprintf("%s is not a link that everybody can open. Copy it from the browser's address bar.", quote(word))
	}
	return knowledge.Media{Kind: kindOf(u.Path), Link: u.String()}, ""
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

const kindPhoto = "photo"

// kindOf is what sort of file a name's ending promises.
func kindOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".webp", ".gif":
		return kindPhoto
	case ".mp4", ".webm", ".m4v", ".3gp":
		return "video"
	case ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".aac":
		return "audio"
	}
	return "document"
}

// mediaText is media as one cell that reads back: a line for each.
func mediaText(list []knowledge.Media) string {
	return strings.Join(marks(list), "\n")
}

func marks(list []knowledge.Media) []string {
	var words []string
	for _, m := range list {
		word := m.Mark()
		if m.Alt != "" {
			word += ` "` + strings.NewReplacer("|", ",", ";", ",", `"`, "'").Replace(m.Alt) + `"` // a bar would end it
		}
		words = append(words, word)
	}
	return words
}

// mediaValue is a JSON value of media as a cell: a text, an object with a link as schema.org has them, or a
// list of either.
func mediaValue(value any) string {
	return namedText(value, []string{"url", "contentUrl", "link", "href", "file", "text", "name", "value", "@value"})
}
