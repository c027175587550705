package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"faqbot/bot"
	"faqbot/knowledge"
)

// maxHits is how many messages a search finds, the newest of those that match.
const maxHits = 500

// asciiSigns are what the text indexes take for blanks.
const asciiSigns = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"

// List returns the conversations a search asks for, the most recently active first.
func (r *Reader) List(ctx context.Context, s bot.Search) (list []bot.Summary, err error) {
	if s.Limit == 0 {
		s.Limit = 50
	}
	if s.Before.IsZero() {
		s.Before = time.UnixMilli(math.MaxInt64)
	}
	args := []any{s.Before.UnixMilli(), s.Limit}
	const last = `(SELECT MAX(m.seq) FROM messages m WHERE m.conversation_id = conversations.id)`
	seq, from := last, conversationTables
	if words := strings.Fields(strings.ToLower(s.Words)); len(words) > 0 {
		seq, from = `COALESCE(hit_seq, `+last+`)`, conversationTables+`JOIN (`+r.hits(words, s.Affiliates, &args)+`) hits ON hit = conversations.id `
	}
	rows, err := r.db.QueryContext(ctx, `SELECT `+conversationColumns+`, active_at, `+seq+from+`WHERE active_at < $1 AND heard_at > 0 AND `+knowledge.Among(s.Affiliates, &args)+`
		AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = conversations.id) ORDER BY active_at DESC, id LIMIT $2`, args...)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	seqs, err := scanSummaries(rows, &list)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	for i := range list {
		last, err := r.messages(ctx, `m.conversation_id = $1 AND m.seq = $2`, list[i].ID, seqs[i])
		if err != nil {
			return nil, fmt.Errorf("list conversations: %w", err)
		}
		if len(last) == 1 {
			list[i].Last = last[0]
		}
	}
	return list, nil
}

// hits selects the conversations that words lead to, as hit: those in which one message has all of the words, with its
// number as hit_seq, and those of the customer with that address or of the chat's visitor with that code.
func (r *Reader) hits(words []string, of []knowledge.AffiliateID, args *[]any) string {
	mark := func(v any) string {
		*args = append(*args, v)
		return fmt.Sprintf("$%d", len(*args))
	}
	from, order := `messages m`, `m.at`
	conditions := []string{knowledge.Among(of, args)}
	tokens, rest := indexed(words)
	switch {
	case len(tokens) == 0:
	case r.db.Postgres():
		for i, t := range tokens {
			tokens[i] = `'` + t + `':*`
		}
		signs, blanks := strings.ReplaceAll(asciiSigns, `'`, `''`), strings.Repeat(" ", len(asciiSigns))
		conditions = append(conditions, `to_tsvector('simple', translate(left(body, 100000), '`+signs+`', '`+blanks+`')) @@ to_tsquery('simple', `+mark(strings.Join(tokens, " & "))+`)`)
	default:
		for i, t := range tokens {
			tokens[i] = `"` + t + `"*`
		}
		from, order = `message_words JOIN message_docs ON doc = message_words.rowid JOIN messages m ON m.id = message_id`, `message_words.rowid`
		conditions = append(conditions, `message_words MATCH `+mark(strings.Join(tokens, " ")))
	}
	for _, word := range rest {
		conditions = append(conditions, `LOWER(m.body) LIKE `+mark("%"+escapeLike(word)+"%")+` ESCAPE '\'`)
	}
	code := []rune(words[len(words)-1])
	return `SELECT hit, MAX(hit_seq) AS hit_seq FROM (
		SELECT * FROM (SELECT m.conversation_id AS hit, m.seq AS hit_seq FROM ` + from + ` JOIN conversations c ON c.id = m.conversation_id
			WHERE ` + strings.Join(conditions, " AND ") + ` ORDER BY ` + order + ` DESC LIMIT ` + mark(maxHits) + `) said
		UNION ALL SELECT id, NULL FROM conversations WHERE channel = 'webchat' AND SUBSTR(customer, 3, 4) IN (` + mark(string(code)) + `, ` + mark(strings.ToUpper(string(code))) + `)
		UNION ALL SELECT id, NULL FROM conversations WHERE customer IN (` + mark(string(code)) + `, ` + mark("u:"+string(code)) + `)) found GROUP BY hit`
}

// indexed cuts words into what the text index has, and tells those that must be looked for in the text itself: words
// with signs in them, and those of scripts without blanks, of which the index knows only whole sentences.
func indexed(words []string) (tokens, rest []string) {
	for _, word := range words {
		if strings.ContainsFunc(word, unspaced) {
			rest = append(rest, word)
			continue
		}
		parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(asciiSigns, r) || r == 0 })
		if len(parts) != 1 || parts[0] != word {
			rest = append(rest, word)
		}
		for _, p := range parts {
			if strings.ContainsFunc(p, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
				tokens = append(tokens, p)
			}
		}
	}
	return tokens, rest
}

// unspaced reports whether a rune is of a script that puts no blanks between words.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func scanSummaries(rows *sql.Rows, list *[]bot.Summary) (seqs []int64, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s bot.Summary
		var active, seq int64
		if s.Conversation, err = scanConversation(rows, &active, &seq); err != nil {
			return nil, err
		}
		s.ActiveAt = time.UnixMilli(active).UTC()
		*list, seqs = append(*list, s), append(seqs, seq)
	}
	return seqs, rows.Err()
}
