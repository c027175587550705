package measure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// judge is what a reply lacks of what is expected, in words; nothing if it is right.
func judge(e suite.Expect, r subject.Reply) (failures []string) {
	if e.Named() && !met(e, r) {
		failures = append(failures, fmt.Sprintf("expected %s, got %s", wanted(e), got(r)))
	}
	words := strings.Join(r.Texts, "\n")
	for _, a := range e.Reply {
		if !holds(a, words) {
			failures = append(failures, fmt.Sprintf("the reply does not hold: %s %q", a.Kind, a.Value))
		}
	}
	return failures
}

// met reports whether one of the outcomes that e names came about.
func met(e suite.Expect, r subject.Reply) bool {
	given := r.Action == bot.ActionAnswer && len(r.Entries) > 0
	offers := func(id knowledge.EntryID) bool { return slices.Contains(r.Entries, id) }
	switch {
	case given && slices.ContainsFunc(e.Answer, offers),
		r.Action == bot.ActionClarify && len(e.Clarify) > 0 && !slices.ContainsFunc(e.Clarify, func(id knowledge.EntryID) bool { return !offers(id) }),
		e.None && !given,
		r.Action == bot.ActionHandoff && (e.Handoff == suite.AnyReason || e.Handoff != "" && e.Handoff == string(r.Reason)),
		e.SmallTalk && r.Action == bot.ActionAnswer && len(r.Entries) == 0,
		e.Silence && (r.Action == bot.ActionIgnore || r.Action == bot.ActionForward) && len(r.Texts) == 0:
		return true
	}
	return false
}

// holds reports whether the words of a reply fulfil an assert, which was compiled when it was read.
func holds(a suite.Assert, words string) bool {
	kind, not := strings.CutPrefix(a.Kind, "not_")
	if kind == "contains" {
		return strings.Contains(strings.ToLower(words), strings.ToLower(a.Value)) != not
	}
	pattern, err := regexp.Compile(a.Value)
	return err == nil && pattern.MatchString(words) != not
}

// wanted is e in words.
func wanted(e suite.Expect) string {
	var list []string
	if len(e.Answer) > 0 {
		list = append(list, "the answer "+ids(e.Answer, " or "))
	}
	if len(e.Clarify) > 0 {
		list = append(list, "a menu with "+ids(e.Clarify, " and "))
	}
	if e.None {
		list = append(list, "no entry as the answer")
	}
	if e.Handoff == suite.AnyReason {
		list = append(list, "a handoff")
	} else if e.Handoff != "" {
		list = append(list, "a handoff ("+e.Handoff+")")
	}
	if e.SmallTalk {
		list = append(list, "small talk")
	}
	if e.Silence {
		list = append(list, "silence")
	}
	return strings.Join(list, ", or ")
}

// got is what r did, in words.
func got(r subject.Reply) string {
	switch {
	case r.Action == bot.ActionAnswer && len(r.Entries) > 0:
		return "the answer " + ids(r.Entries, " and ")
	case r.Action == bot.ActionAnswer:
		return "small talk"
	case r.Action == bot.ActionClarify && len(r.Entries) > 0:
		return "a menu with " + ids(r.Entries, ", ")
	case r.Action == bot.ActionClarify:
		return "a request for other words"
	case r.Action == bot.ActionHandoff:
		return fmt.Sprintf("a handoff (%s)", r.Reason)
	}
	if r.Rule != "" {
		return "silence: " + r.Rule
	}
	return "silence"
}

// outcomeOf is what became of a case, in words.
func outcomeOf(r Row) string {
	return got(subject.Reply{Action: r.Action, Reason: r.Reason, Entries: r.Entries})
}

func ids(list []knowledge.EntryID, between string) string {
	names := make([]string, len(list))
	for i, id := range list {
		names[i] = string(id)
	}
	return strings.Join(names, between)
}
