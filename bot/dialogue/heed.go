package dialogue

import (
	"context"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// heedFeedback takes the entries that did not help out of what was found, and finds what else the question
// before may have meant if that is all that is said.
func (e *Engine) heedFeedback(ctx context.Context, ev *Evidence, query retrieval.Query) error {
	rejected, given := e.rejected(ev.Turn)
	if ev.Signals.Feedback || ev.Signals.Praise {
		ev.Feedback = &bot.Feedback{Helped: !ev.Signals.Feedback}
		if len(given) > 0 {
			ev.Feedback.Entry = given[0]
		}
	}
	if ev.Signals.Feedback {
		rejected = append(rejected, given...)
	}
	if ev.Signals.Feedback && ev.Signals.Question == "" {
		if said := e.said(ev.Turn); len(said) > 0 {
			query.Text, query.Before, query.ContextDependence = said[len(said)-1], nil, 0
			found, err := e.retriever.Search(ctx, query)
			if err != nil {
				return err
			}
			if len(rejected) == 0 && len(found.Hits) > 0 { // nobody told us what was answered
				rejected = append(rejected, found.Hits[0].Entry.ID)
			}
			ev.Others = without(found.Hits, rejected, true)
		}
	}
	ev.Found.Hits = without(ev.Found.Hits, rejected, false)
	return nil
}

// rejected are the entries of this matter that a customer said did not help, and those of the bot's last
// answer, of which they may say so now.
func (e *Engine) rejected(t bot.Turn) (rejected, given []knowledge.EntryID) {
	for _, m := range t.History {
		switch {
		case m.Author == bot.AuthorBot && len(m.Entries) > 0 && !asksToChoose(m):
			given = m.Entries
		case m.Author == bot.AuthorCustomer && m.Choice == "" && len(given) > 0:
			var s Signals
			if text := textOf(m); text != "" {
				s.words(e.phrases, bot.Turn{}, text)
			}
			if s.Feedback {
				rejected = append(rejected, given...)
			}
			given = nil
		}
	}
	return rejected, given
}

// asksToChoose reports whether a message of the bot has buttons that are more than suggestions after an answer.
func asksToChoose(m bot.Message) bool {
	return slices.ContainsFunc(m.Choices, func(c bot.Choice) bool {
		return bot.EntryOf(c.Payload) == "" || slices.Contains(m.Entries, bot.EntryOf(c.Payload))
	})
}

// without is hits without the excluded entries, with odds against the best that is left. Where the excluded
// are known to be wrong, their probability goes to the others.
func without(hits []retrieval.Hit, excluded []knowledge.EntryID, known bool) []retrieval.Hit {
	if len(excluded) == 0 {
		return hits
	}
	var list []retrieval.Hit
	left := 1.0
	for _, h := range hits {
		if slices.Contains(excluded, h.Entry.ID) {
			left -= h.Score
		} else {
			list = append(list, h)
		}
	}
	for i := range slices.Backward(list) {
		if list[0].Odds > 0 {
			list[i].Odds /= list[0].Odds
		}
		if known && left > list[i].Score {
			list[i].Score /= left
		}
	}
	return list
}

// foreignAt is the most that an entry in another language than the question's may be sure of where the multilingual
// encoder did not search: what the others find across languages is a guess.
const foreignAt = .45

// heedLanguage caps the probability of entries in another language than the words. What the multilingual encoder found
// counts in full.
func (e *Engine) heedLanguage(ev *Evidence) {
	language := e.phrases.languageFrom(ev.Signals.Raw, minForeign)
	if language == "" {
		return
	}
	fits := false
	ev.Found.Hits = slices.Clone(ev.Found.Hits)
	for i, h := range ev.Found.Hits {
		if spoken(language) != "" && h.Score <= foreignAt {
			continue
		}
		if h.Exact || !e.phrases.foreignTo(ev.Signals.Raw, language, h.Entry.Locale, h.Entry.Question) {
			fits = true
			continue
		}
		if !ev.Found.Multilingual {
			ev.Found.Hits[i].Score = min(h.Score, foreignAt)
		}
		fits = fits || ev.Found.Multilingual && h.Score >= e.policy.AnswerAt
	}
	ev.Foreign = spoken(language) == "" && !fits
}

// contrastedAt is the most that an entry may be sure of that speaks of something else than what was asked for. It is
// less than an answer needs, and enough for a menu.
const contrastedAt = .45

// heedContrast caps the probability of an entry that speaks of something else than what was asked for.
func heedContrast(ev *Evidence) {
	if hits := ev.Found.Hits; len(hits) > 0 && hits[0].Contrast != nil {
		ev.Found.Hits = slices.Clone(hits)
		ev.Found.Hits[0].Score = min(hits[0].Score, contrastedAt)
	}
}

// locale is the language of what the bot says: that of the customer's words, now or before, else what the
// network or the page says.
func (e *Engine) locale(ev Evidence) string {
	if name := spoken(ev.Signals.Language); name != "" {
		return name
	}
	for _, m := range slices.Backward(ev.Turn.History) {
		if m.Author == bot.AuthorCustomer && m.Choice == "" {
			if name := spoken(e.phrases.language(m.Text)); name != "" {
				return name
			}
		}
	}
	return e.phrases.Locale(ev.Turn.Conversation.Locale, ev.Turn.Account.Locale)
}

// heedEmergency finds what the affiliate itself says of emergencies: an entry with that topic.
func (e *Engine) heedEmergency(ctx context.Context, ev *Evidence, query retrieval.Query) error {
	if !ev.Signals.Emergency {
		return nil
	}
	query.Text, query.Before, query.ContextDependence = "emergency / emergencia / emergência", nil, 0
	found, err := e.retriever.Search(ctx, query)
	if err != nil {
		return err
	}
	for _, h := range found.Hits {
		if topic := fold(h.Entry.Topic); topic == "emergency" || topic == "emergencia" {
			ev.Line = &h.Entry
			return nil
		}
	}
	return nil
}

// emergencyNumbers are the numbers to call, by country.
func emergencyNumbers() map[string]string {
	list := map[string]string{"US": "911", "CA": "911", "MX": "911", "AR": "911", "UY": "911", "PY": "911", "EC": "911", "CR": "911", "PA": "911", "DO": "911",
		"GB": "999 or 112", "IE": "112", "BR": "192 (SAMU) / 190", "CL": "131 / 133", "CO": "123", "PE": "106 / 105", "BO": "110", "VE": "911", "AU": "000", "NZ": "111", "IN": "112", "ZA": "112"}
	for _, country := range strings.Fields("AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IT LV LT LU MT NL NO PL PT RO SK SI ES SE CH") {
		list[country] = "112"
	}
	return list
}

// callingCodes are the countries of phone numbers, for those of emergencyNumbers that are told by them alone.
func callingCodes() map[string]string {
	return map[string]string{"52": "MX", "54": "AR", "55": "BR", "56": "CL", "57": "CO", "51": "PE", "34": "ES", "351": "PT", "44": "GB", "353": "IE",
		"33": "FR", "49": "DE", "39": "IT", "31": "NL", "32": "BE", "41": "CH", "43": "AT", "48": "PL", "61": "AU", "64": "NZ", "91": "IN", "598": "UY", "595": "PY",
		"593": "EC", "591": "BO", "506": "CR", "507": "PA", "1": "US"}
}

// emergency says what to do now, with the number to call if the customer's country is known.
func emergency(t bot.Turn, say voice) string {
	country := ""
	if at := strings.LastIndexAny(t.Conversation.Locale, "-_"); at >= 0 {
		country = strings.ToUpper(t.Conversation.Locale[at+1:])
	}
	for n := min(3, len(t.Conversation.Phone)); n > 0; n-- {
		if of, ok := callingCodes()[t.Conversation.Phone[:n]]; ok {
			country = of
			break
		}
	}
	number, ok := emergencyNumbers()[country]
	if !ok {
		return say(PhraseEmergency)
	}
	return strings.ReplaceAll(say(PhraseEmergencyCall), "{number}", number)
}
