package mail

import (
	"regexp"
	"strings"
)

// written is what somebody wrote above the mail that they answer. Programs quote in many ways: what is under the mark,
// a block of lines that begin with ">" at the end, a line that says that an original follows, or the head of the earlier
// mail. What is written between quoted lines stays, with the lines that it answers.
func written(text, mark string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	end := len(lines)
	for i, line := range lines {
		if mark != "" && strings.Contains(line, mark) || isOriginal(lines[i:]) {
			end = i
			break
		}
	}
	lines = withoutEnd(lines[:end])
	cut := len(lines)
	for cut > 0 && (isQuoted(lines[cut-1]) || strings.TrimSpace(lines[cut-1]) == "") {
		cut--
	}
	quoted := cut < len(lines) || end < len(strings.Split(text, "\n"))
	lines = lines[:cut]
	if quoted {
		lines = withoutAttribution(lines)
	}
	for i, line := range lines {
		if line == "-- " { // a signature, by custom since Usenet
			lines = lines[:i]
			break
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func isQuoted(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), ">") }

func withoutEnd(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// isOriginal reports whether an earlier mail begins with these lines, as Outlook and its like write it.
func isOriginal(lines []string) bool {
	first := strings.TrimSpace(lines[0])
	if regexp.MustCompile(`^[-_]{2,} ?(Original Message|Ursprüngliche Nachricht|Mensaje original|Mensagem original|Message d'origine|Messaggio originale|Forwarded message) ?[-_]{2,}$`).MatchString(first) {
		return true
	}
	head := regexp.MustCompile(`^\*?(From|De|Von|Da)( ?:\*?|\*? ?:) ?.*@`)
	if !head.MatchString(first) {
		return false
	}
	next := regexp.MustCompile(`^\*?(Sent|Date|To|Enviado( el)?|Enviada em|Fecha|Data|Para|Gesendet|An|Envoyé|À|Inviato|A|Subject|Asunto|Assunto|Betreff|Objet|Oggetto) ?:`)
	for _, line := range lines[1:min(len(lines), 4)] {
		if next.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}

// withoutAttribution drops the line before a quotation that says who wrote when: "On Mon, 2 Nov 2026, Ana <a@b.c> wrote:",
// in whatever language, on up to three lines.
func withoutAttribution(lines []string) []string {
	lines = withoutEnd(lines)
	for n := 1; n <= min(3, len(lines)); n++ {
		line := strings.Join(lines[len(lines)-n:], " ")
		if strings.TrimSpace(lines[len(lines)-n]) == "" {
			break
		}
		if strings.HasSuffix(strings.TrimSpace(line), ":") && regexp.MustCompile(`[0-9]`).MatchString(line) &&
			regexp.MustCompile(`@|[0-9]{1,2}[:.h][0-9]{2}`).MatchString(line) {
			return withoutEnd(lines[:len(lines)-n])
		}
	}
	return lines
}
