package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
)

// cell is the most characters of a text in a table.
const cell = 100

// explain prints how an outcome came about, for people who do not know the program: what was read,
// what was found and how sure that is, and which rule decided.
func explain(w io.Writer, o bot.Outcome, p dialogue.Policy, took time.Duration) error {
	t, table := o.Trace, tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nread\t%s\n", oneLine(t.Query, cell))
	if len(t.Before) > 0 {
		fmt.Fprintf(table, "said before\t%s\n", oneLine(strings.Join(t.Before, " / "), cell))
		fmt.Fprintf(table, "\tthe question leans on that: %.2f of 1\n", t.ContextDependence)
	}
	for i, part := range t.Parts {
		found := "nothing"
		if part.Best != nil {
			found = fmt.Sprintf("%s, probability %.3f", part.Best.Entry, part.Best.Score)
		}
		fmt.Fprintf(table, "question %d\t%s → %s\n", i+1, oneLine(part.Query, cell), found)
	}
	if len(t.Signals) > 0 {
		fmt.Fprintf(table, "signals\t%s\n", strings.Join(t.Signals, ", "))
	}
	if len(t.Hits) > 0 && t.Hits[0].Contrast != nil {
		c := t.Hits[0].Contrast
		fmt.Fprintf(table, "contrast\tit asks about %q, where the best entry has %q\n", c.Asked, c.Known)
	}
	fmt.Fprintf(table, "rule\t%s\n", t.Rule)
	fmt.Fprintf(table, "decision\t%s (%s), worked out in %s\n", o.Decision.Action, o.Decision.Reason, took.Round(10*time.Microsecond))
	if t.Space != "" {
		fmt.Fprintf(table, "vectors\t%s\n", t.Space)
	}
	if len(t.Hits) > 0 {
		if o := t.Hits[0].Evidence.Offsets; o.Version > 0 {
			fmt.Fprintf(table, "learned\tof the affiliate's own customers, version %d: %+.2f on the log odds of the best entry, %+.2f on those of a menu\n", o.Version, o.Best, o.Menu)
		}
		fmt.Fprintf(table, "thresholds\tan answer needs probability %.2f; an offer needs %.2f that one of at most %d entries is right\n", p.AnswerAt, p.OfferAt, p.MaxChoices)
	}
	if len(t.Hits) > 1 {
		fmt.Fprintf(table, "runner-up\t%.2f as likely as the best; from %.2f that is a close call, from %.2f an entry is offered\n", t.Hits[1].Odds, p.CloseOdds, p.WorthOdds)
	}
	if err := table.Flush(); err != nil || len(t.Hits) == 0 {
		return err
	}
	fmt.Fprintln(table, "\nprobability\tmeaning\tmean\tspelling\twords\tpassage\tits words\ttokens\thead\tridge\tsure\tentry\twording that matched best")
	for _, h := range t.Hits {
		p := h.Parts
		fmt.Fprintf(table, "%.3f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\n", h.Score, p.Cosine, p.Mean, p.Ngrams,
			p.Words, p.Passage, p.AnswerWords, p.Late, p.Chance, p.Ridge, h.Evidence.Sure, h.Entry, oneLine(h.Wording, cell))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, `
meaning: cosine of the best wording's vector with the question's; mean: of all the entry's wordings.
spelling: similarity of letter n-grams; words: the wording's share of the question's words by weight.
passage: cosine of the entry's question and answer as one text; its words: share of the question's words that are in it.
tokens: how well the question's words, the rare ones above all, are found in the entry's texts, by meaning; of the best ten.
head, ridge: what was learned from all wordings.
sure: what the probability goes by.
`)
	if e := t.Hits[0].Evidence; err == nil {
		_, err = fmt.Fprintf(w, "The probability also goes by the corpus: %d entries, %.1f wordings each, %.2f from one entry to the nearest.\n", e.Entries, e.Wordings, e.Nearest)
	}
	return err
}
