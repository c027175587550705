package mail

import (
	"regexp"
	"strings"
)

// written is what somebody wrote above the mail that they answer. Programs quote in many ways: what is under the mark,
// a block of lines that begin with ">" at the end, a line that says that an original follows, or the head of the earlier
// mail. What is written between quoted lines stays, with the lines that it answers.
func written(text, mark string) string {
	all := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	lines, earlier := all, newEarlierMail()
	for i, line := range all {
		if mark != "" && strings.Contains(line, mark) || earlier.begins(all[i:]) {
			lines = all[:i]
			break
		}
	}
	quoted := len(lines) < len(all)
	lines = withoutEnd(lines)
	cut := len(lines)
	for cut > 0 && (isQuoted(lines[cut-1]) || strings.TrimSpace(lines[cut-1]) == "") {
		cut--
	}
	quoted = quoted || cut < len(lines)
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

// An earlierMail knows how an earlier mail begins, as Outlook and its like write it: by a line that says so, or by the
// head of the mail.
type earlierMail struct{ rule, head, next *regexp.Regexp }

func newEarlierMail() earlierMail {
	return earlierMail{
		rule: regexp.MustCompile(`^[-_]{2,} ?(Original Message|Ursprüngliche Nachricht|Mensaje original|Mensagem original|Message d'origine|Messaggio originale|Forwarded message) ?[-_]{2,}$`),
		head: regexp.MustCompile(`^\*?(From|De|Von|Da)( ?:\*?|\*? ?:) ?.*@`),
		next: regexp.MustCompile(`^\*?(Sent|Date|To|Enviado( el)?|Enviada em|Fecha|Data|Para|Gesendet|An|Envoyé|À|Inviato|A|Subject|Asunto|Assunto|Betreff|Objet|Oggetto) ?:`),
	}
}

func (e earlierMail) begins(lines []string) bool {
	first := strings.TrimSpace(lines[0])
	if e.rule.MatchString(first) {
		return true
	}
	if !e.head.MatchString(first) {
		return false
	}
	for _, line := range lines[1:min(len(lines), 4)] {
		if e.next.MatchString(strings.TrimSpace(line)) {
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
