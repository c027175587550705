package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"faqbot/bot"
	"faqbot/knowledge"
)

// A reader turns values into cases and collects what is wrong with them.
type reader struct {
	file     string
	problems Problems
	lines    map[string]int // of each case's ID
	data     []byte         // of the file, if it is not read from a path
}

func (r *reader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// maxWeight bounds how often a case counts.
const maxWeight = 1000

// keys are the fields of a case, and other names that they have in other tools' files.
func keys() map[string][]string {
	return map[string][]string{
		"id": {"case"}, "ask": {"question", "text", "query"}, "tap": nil, "turns": nil, "context": {"history"},
		"lang": {"locale", "language"}, "tags": {"tag"}, "kind": nil, "group": {"dialog"}, "weight": nil, "must": nil, "reword": nil,
		"answer": {"relevant", "entry", "expected", "expected answer id"}, "clarify": nil, "handoff": nil, "none": {"out of scope"},
		"smalltalk": {"small talk"}, "silence": nil, "reply": nil, "contains": nil, "not_contains": nil, "matches": nil, "not_matches": nil,
		"note": {"notes", "comment"},
	}
}

// keyOf is the field that a name means, "" if none.
func keyOf(name string) string {
	fold := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == ' ' || r == '_' || r == '-' {
				return -1
			}
			return unicode.ToLower(r)
		}, s)
	}
	for key, synonyms := range keys() {
		if slices.ContainsFunc(append(synonyms, key), func(s string) bool { return fold(s) == fold(name) }) {
			return key
		}
	}
	return ""
}

// add adds the case that v describes, if it can be read.
func (r *reader) add(s *Suite, v value) {
	before := len(r.problems)
	c := r.caseOf(v)
	if len(r.problems) > before {
		return
	}
	if first, again := r.lines[c.ID]; again {
		r.problem(v.line, "the case %q is on line %d already; give each case an id of its own", c.ID, first)
		return
	}
	r.lines[c.ID] = v.line
	s.Cases = append(s.Cases, c)
}

// caseOf reads a case. Rows of a set have "relevant", and fields that only other tools know.
func (r *reader) caseOf(v value) Case {
	c := Case{Weight: 1, Line: v.line}
	if v.kind != mapping {
		r.problem(v.line, "a case is fields like {ask: how do I get paid?, answer: payout}, not %s", v.kind)
		return c
	}
	ofSet := slices.ContainsFunc(v.fields, func(f field) bool { return f.name == "relevant" })
	var turn Turn
	seen := map[string]bool{}
	for _, f := range v.fields {
		key := keyOf(f.name)
		switch {
		case key == "" && ofSet, key == "note":
			continue
		case key == "":
			r.problem(f.line, "there is no field %q%s", f.name, didYouMean(f.name))
			continue
		case seen[key]:
			r.problem(f.line, "%q is given twice, or under two names; keep one", key)
			continue
		}
		seen[key] = true
		if !r.ofTurn(key, f, &turn, ofSet) {
			r.ofCase(key, f, &c, ofSet)
		}
	}
	if len(c.Turns) > 0 {
		if turn.Say != "" || turn.Tap != "" {
			r.problem(v.line, `the case has both "turns" and "ask" or "tap"; move the question into turns`)
		}
		last := &c.Turns[len(c.Turns)-1]
		if turn.Expect.Named() && last.Expect.Named() {
			r.problem(v.line, "both the case and its last turn say what is expected; keep one")
		} else if turn.Expect.Named() || len(turn.Expect.Reply) > 0 {
			last.Expect = turn.Expect
		}
	} else {
		c.Turns = []Turn{turn}
	}
	r.whole(v.line, &c, seen["turns"])
	return c
}

// whole checks what only the whole case shows.
func (r *reader) whole(line int, c *Case, turns bool) {
	last := c.Last()
	switch {
	case last.Say == "" && last.Tap == "" && !turns:
		r.problem(line, `the question is missing; write it as "ask"`)
	case !last.Expect.Named():
		r.problem(line, "it is not said what is expected; write answer, clarify, none, handoff, smalltalk or silence")
	case last.Expect.None && (len(last.Expect.Answer) > 0 || len(last.Expect.Clarify) > 0):
		r.problem(line, `"none" says that no entry answers, and "answer" or "clarify" names some; keep one`)
	}
	if c.ID == "" {
		c.ID = last.Say
	}
}

// ofTurn reads the fields that a turn has.
func (r *reader) ofTurn(key string, f field, t *Turn, ofSet bool) bool {
	switch e := &t.Expect; key {
	case "ask":
		t.Say = r.text(f)
	case "tap":
		t.Tap = r.text(f)
	case "answer":
		if ofSet && f.value.kind == listed && len(f.value.list) == 0 {
			e.None = true
			return true
		}
		e.Answer = entries(r.texts(f))
	case "clarify":
		e.Clarify = entries(r.texts(f))
	case "none":
		e.None = r.flag(f)
	case "smalltalk":
		e.SmallTalk = r.flag(f)
	case "silence":
		e.Silence = r.flag(f)
	case "handoff":
		e.Handoff = r.handoff(f)
	case "reply":
		if f.value.kind != mapping {
			r.problem(f.line, `"reply" is fields like {contains: within two days}, not %s`, f.value.kind)
		}
		for _, one := range f.value.fields {
			r.assert(one.name, one, e)
		}
	case "contains", "not_contains", "matches", "not_matches":
		r.assert(key, f, e)
	default:
		return false
	}
	return true
}

// ofCase reads the fields that only a case has.
func (r *reader) ofCase(key string, f field, c *Case, ofSet bool) {
	switch key {
	case "id":
		c.ID = r.text(f)
	case "turns":
		c.Turns = r.turns(f)
	case "context":
		c.Context = r.texts(f)
	case "lang":
		c.Lang = r.text(f)
	case "tags":
		if c.Tags = r.texts(f); ofSet && f.value.kind == text { // a string of one-letter tags
			c.Tags = strings.Split(f.value.text, "")
		}
	case "kind":
		c.Kind = r.text(f)
	case "group":
		c.Group = r.text(f)
	case "reword":
		c.Reword = r.texts(f)
	case "must":
		c.Must = r.flag(f)
	case "weight":
		n, err := strconv.Atoi(f.value.text)
		if err != nil || n < 1 || n > maxWeight {
			r.problem(f.line, `"weight" is how often the case counts: a whole number from 1 to %d, not %q`, maxWeight, f.value.text)
		}
		c.Weight = n
	}
}

func (r *reader) turns(f field) (list []Turn) {
	if f.value.kind != listed || len(f.value.list) == 0 {
		r.problem(f.line, `"turns" is a list of turns like {ask: do you ship to France?}, with at least one`)
		return nil
	}
	for _, v := range f.value.list {
		if v.kind == text {
			v = value{line: v.line, kind: mapping, fields: []field{{"ask", v.line, v}}}
		}
		if v.kind != mapping {
			r.problem(v.line, "a turn is fields like {ask: do you ship to France?} or {tap: shipping}, not %s", v.kind)
			continue
		}
		var t Turn
		for _, one := range v.fields {
			if key := keyOf(one.name); !r.ofTurn(key, one, &t, false) {
				r.problem(one.line, "a turn has no field %q; it has ask or tap, and what is expected of it", one.name)
			}
		}
		if (t.Say == "") == (t.Tap == "") {
			r.problem(v.line, `a turn has either "ask", what the customer writes, or "tap", the button they tap`)
		}
		list = append(list, t)
	}
	return list
}

func (r *reader) handoff(f field) string {
	if f.value.kind == flag || f.value.kind == cell && yes(f.value.text) {
		if r.flag(f) {
			return AnyReason
		}
		return ""
	}
	reason := r.text(f)
	if reason != "" && reason != AnyReason && !slices.Contains(reasons(), reason) {
		r.problem(f.line, `"handoff" is true, or a reason: %s; not %q`, strings.Join(reasons(), ", "), reason)
	}
	return reason
}

// reasons are those for which a person is called.
func reasons() []string {
	list := []bot.Reason{bot.ReasonAskedPerson, bot.ReasonUrgent, bot.ReasonNoAnswer, bot.ReasonAbuse, bot.ReasonUnreadable, bot.ReasonFlood, bot.ReasonFilledIn, bot.ReasonBroken}
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = string(one)
	}
	return names
}

func (r *reader) assert(name string, f field, e *Expect) {
	if !slices.Contains(AssertKinds(), name) {
		r.problem(f.line, "a reply has no condition %q; there are %s", name, strings.Join(AssertKinds(), ", "))
		return
	}
	for _, words := range r.texts(f) {
		if _, err := regexp.Compile(words); err != nil && strings.HasSuffix(name, "matches") {
			r.problem(f.line, "%q is no regular expression: %v", words, err)
			continue
		}
		e.Reply = append(e.Reply, Assert{name, words})
	}
}

// text reads a scalar.
func (r *reader) text(f field) string {
	switch f.value.kind {
	case listed, mapping:
		r.problem(f.line, "%q is one text, not %s", f.name, f.value.kind)
		return ""
	}
	return strings.TrimSpace(f.value.text)
}

// texts reads a list, or one text as a list of one.
func (r *reader) texts(f field) []string {
	items := f.value.list
	switch f.value.kind {
	case mapping:
		r.problem(f.line, "%q is a text or a list of texts, not fields", f.name)
		return nil
	case cell:
		items = f.value.parts()
	case listed:
		if len(items) == 0 && keyOf(f.name) == "answer" {
			r.problem(f.line, `%q is empty; write "none: true" for a question that no entry answers`, f.name)
		}
	default:
		items = []value{f.value}
	}
	var list []string
	for _, item := range items {
		if one := r.text(field{f.name, item.line, item}); one != "" {
			list = append(list, one)
		} else if item.kind != listed && item.kind != mapping {
			r.problem(item.line, "%q has an empty text; remove it or fill it in", f.name)
		}
	}
	return list
}

func (r *reader) flag(f field) bool {
	word := strings.ToLower(strings.TrimSpace(f.value.text))
	switch {
	case f.value.kind == flag || f.value.kind == cell && (yes(word) || word == "no" || word == "false" || word == "0"):
		return yes(word)
	}
	r.problem(f.line, "%q is true or false, not %q", f.name, f.value.text)
	return false
}

// yes reports whether a cell says so.
func yes(word string) bool {
	return slices.Contains([]string{"true", "yes", "x", "1"}, strings.ToLower(strings.TrimSpace(word)))
}

func entries(names []string) []knowledge.EntryID {
	list := make([]knowledge.EntryID, len(names))
	for i, name := range names {
		list[i] = knowledge.EntryID(name)
	}
	return list
}

// didYouMean names the field that a misspelt one is nearest to, or all fields.
func didYouMean(name string) string {
	var known []string
	for key, synonyms := range keys() {
		known = append(append(known, key), synonyms...)
	}
	slices.Sort(known)
	best, least := "", 3
	for _, key := range known {
		if d := edits(strings.ToLower(name), key); d < least {
			best, least = key, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return `; a column or field that only people read is called "note"`
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
