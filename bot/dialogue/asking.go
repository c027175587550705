package dialogue

import (
	"context"
	"strings"

	"faqbot/retrieval"
)

// longFrom is from how many words on the one sentence that asks is searched for by itself, too. The vector of a long
// message is mostly that of its story.
const longFrom = 25

// asking is the sentence of a long text that asks, "" if the text is short, or if none or several ask.
func asking(p *Phrases, text string) (sentence string) {
	if len(tokenize(text)) < longFrom {
		return ""
	}
	for _, s := range segments(p, text) {
		switch {
		case !asks(p, text[s.from:s.to]):
		case sentence != "":
			return ""
		default:
			sentence = strings.TrimSpace(text[s.from:s.to])
		}
	}
	return sentence
}

// heedAsking goes by the sentence that asks where that finds a likelier entry than the whole message.
func (e *Engine) heedAsking(ctx context.Context, ev *Evidence, query *retrieval.Query) error {
	sentence := asking(e.phrases, query.Text)
	if sentence == "" {
		return nil
	}
	alone := *query
	alone.Text = sentence
	found, err := e.retriever.Search(ctx, alone)
	if err == nil && len(found.Hits) > 0 && (len(ev.Found.Hits) == 0 || found.Hits[0].Score > ev.Found.Hits[0].Score) {
		ev.Found, *query = found, alone
	}
	return err
}
