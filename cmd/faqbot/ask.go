package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/faqfile"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/late"
	"faqbot/retrieval/learn"
)

// askCommand asks the engine that serve runs.
type askCommand struct {
	Question  []string `arg:"" optional:"" help:"What a customer would write."`
	Knowledge string   `help:"Answer from this file, in any format that import reads, instead of what is published. Entries without an answer are allowed." placeholder:"FILE" type:"existingfile"`
	Affiliate string   `help:"Answer from what this affiliate has published." placeholder:"NAME"`
	Said      []string `help:"What the customer said before; may be given several times, oldest first." placeholder:"WORDS" sep:"none"`
	Locale    string   `help:"The customer's language, like pt-BR." placeholder:"TAG"`
	Explain   bool     `help:"Show how the decision came about: what was read, what was found, and the rule that fired."`
	Batch     string   `help:"Ask every row of this JSON Lines file: {\"id\",\"text\"}, optionally \"lang\" and \"context\":[what was said before, oldest first]." placeholder:"QUERIES.jsonl" type:"existingfile"`
	Out       string   `help:"Where the rows of --batch go; standard output if not given." placeholder:"OUT.jsonl"`
}

func (cmd askCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	switch {
	case (cmd.Knowledge == "") == (cmd.Affiliate == ""):
		return errors.New("say whose answers to use: --knowledge FILE, or --affiliate NAME for what is published")
	case (cmd.Batch == "") == (len(cmd.Question) == 0):
		return errors.New("give a question, or --batch QUERIES.jsonl")
	case cmd.Out != "" && cmd.Batch == "":
		return errors.New("--out goes with --batch")
	case cmd.Explain && cmd.Batch != "":
		return errors.New("--explain goes with one question; the rows of --batch have their ranked entries and signals")
	}
	var queries []dialogue.Question
	if cmd.Batch != "" { // before the long work: a bad row should not cost minutes
		var err error
		if queries, err = readQueries(cmd.Batch); err != nil {
			return err
		}
	}
	a, err := cmd.asker(ctx, cli, term)
	if err != nil {
		return err
	}
	defer a.close()
	if cmd.Batch != "" {
		return a.batch(ctx, queries, cmd.Out, term)
	}
	return a.answer(ctx, dialogue.Question{Text: strings.Join(cmd.Question, " "), Locale: cmd.Locale, Said: cmd.Said}, cmd.Explain, term.out)
}

// An asker is the engine over one set of entries.
type asker struct {
	*dialogue.Asker
	all    []knowledge.Entry // in the file's order
	policy dialogue.Policy
	close  func()
}

func (cmd askCommand) asker(ctx context.Context, cli *commands, term terminal) (*asker, error) {
	if cmd.Knowledge != "" {
		return fileAsker(ctx, cmd.Knowledge, term)
	}
	return publishedAsker(ctx, cli, knowledge.AffiliateID(cmd.Affiliate))
}

// publishedAsker answers from the database.
func publishedAsker(ctx context.Context, cli *commands, affiliate knowledge.AffiliateID) (*asker, error) {
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	c, err := loadConfig(cli.Config)
	if err != nil {
		return nil, err
	}
	db, err := openDB(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &asker{policy: c.policy(), close: func() { _ = db.Close() }}
	corpus := knowledge.NewCorpus(db, time.Now)
	var revision knowledge.Revision
	if a.all, revision, err = corpus.Published(ctx, affiliate); err == nil && revision == 0 {
		err = fmt.Errorf("%s has published nothing: faqbot import FILE --affiliate %s --publish", affiliate, affiliate)
	}
	var e embedders
	if err == nil {
		e, err = newEmbedders(c, db, nil)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	searcher := e.searcher(corpus, learn.New(db), nil, nil)
	if err := searcher.Refresh(ctx); err != nil {
		a.close()
		return nil, fmt.Errorf("prepare the search: %w", err)
	}
	a.Asker = dialogue.NewAsker(newEngine(searcher, phrases, a.policy).WithBrands(brand.NewStore(db, time.Now)), bot.Account{Affiliates: []knowledge.AffiliateID{affiliate}})
	return a, nil
}

// fileAsker answers from a file, without a database.
func fileAsker(ctx context.Context, path string, term terminal) (*asker, error) {
	rows, problems, _, err := readFAQ(ctx, path, faqfile.Options{Trial: true})
	if err != nil {
		return nil, err
	}
	printProblems(term.err, problems)
	if slices.ContainsFunc(problems, func(p knowledge.Problem) bool { return p.Fatal }) {
		return nil, fmt.Errorf("%s cannot be used until the problems marked ✗ are mended", path)
	}
	a := &asker{policy: dialogue.DefaultPolicy(), close: func() {}}
	for _, r := range rows {
		r.ID = knowledge.EntryID(r.Key) // IDs as in the file
		a.all = append(a.all, r.Entry)
	}
	english, multilingual, err := newEncoders()
	if err != nil {
		return nil, err
	}
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	progress := newProgress(term.err, "reading")
	var o retrieval.SearcherOptions
	if multilingual != nil {
		o.Multilingual = inBatches{multilingual, progress.set}
	}
	searcher := retrieval.NewSearcher(dialogue.NewUnpublished(triedAs, a.all), inBatches{english, progress.set}, o)
	if err := searcher.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("prepare the search: %w", err)
	}
	a.Asker = dialogue.NewAsker(newEngine(searcher, phrases, a.policy), bot.Account{Affiliates: []knowledge.AffiliateID{triedAs}})
	return a, nil
}

// triedAs is whose the entries of a file are that is only tried.
const triedAs knowledge.AffiliateID = "file"

// inBatches shows how far a long embedding is.
type inBatches struct {
	*encoder.Encoder
	progress func(done, total int)
}

func (b inBatches) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	const batch = 256
	list := make([]late.Tokens, 0, len(texts))
	for part := range slices.Chunk(texts, batch) {
		tokens, err := b.Encoder.EmbedTokens(ctx, part)
		if err != nil {
			return nil, err
		}
		list = append(list, tokens...)
		if len(texts) > batch {
			b.progress(len(list), len(texts))
		}
	}
	return list, nil
}

// answer asks one question and shows the answer and, in a line or at length, how it came about.
func (a *asker) answer(ctx context.Context, q dialogue.Question, atLength bool, w io.Writer) error {
	r, err := a.Ask(ctx, q)
	if err != nil {
		return err
	}
	o, took := r.Outcome, r.Took
	for _, r := range o.Replies {
		fmt.Fprintln(w, wordsOf(r))
		for i, c := range r.Choices {
			fmt.Fprintf(w, "  %d. %s\n", i+1, c.Label)
		}
	}
	if o.Trace.Fallback != "" {
		fmt.Fprintf(w, "\nthe built-in encoder answered: %s\n", o.Trace.Fallback)
	}
	if atLength {
		return explain(w, o, a.policy, took)
	}
	fmt.Fprintf(w, "\n%s, because: %s (%s); %s. Why: --explain\n", o.Decision.Action, o.Trace.Rule, o.Decision.Reason, took.Round(10*time.Microsecond))
	return nil
}
