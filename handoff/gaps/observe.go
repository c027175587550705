package gaps

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/sqldb"
)

// An event is one of the events table, as far as it matters here.
type event struct {
	id                    string
	kind                  events.Kind
	at                    time.Time
	affiliate             knowledge.AffiliateID
	conversation, episode string
	cause                 string
	entry                 knowledge.EntryID
	probability           float64
	reason                string
}

const eventColumns = `id, kind, at, affiliate, conversation_id, episode_id, cause, entry, probability, reason`

func selectEvents(ctx context.Context, r sqldb.Reader, where string, args ...any) (list []event, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var e event
		var at int64
		err := rows.Scan(&e.id, &e.kind, &at, &e.affiliate, &e.conversation, &e.episode, &e.cause, &e.entry, &e.probability, &e.reason)
		e.at = sqldb.Time(at)
		list = append(list, e)
		return err
	}, `SELECT `+eventColumns+` FROM events WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return list, nil
}

// An observation is what an event says of a question.
type observation struct {
	Question
	affiliate knowledge.AffiliateID
	space     space // of its vector
}

// observe tells which question an event is about, and how that was answered. ok is false if it is about none.
func (s *Service) observe(ctx context.Context, e event, answering map[knowledge.EntryID]bool) (o observation, ok bool, err error) {
	about, kind := e, Kind("")
	switch {
	case e.kind == events.Answered && answering[e.entry]:
		kind = Found
	case e.kind == events.AskedBack && e.reason == string(bot.ReasonNoAnswer):
		kind = Unanswered
	case e.kind == events.AskedBack:
		kind = AskedBack
	case e.kind == events.Tapped && e.reason == bot.ChoiceNone:
		kind = NoneChosen
		about, ok, err = s.turnBefore(ctx, e, events.AskedBack)
	case e.kind == events.Tapped && e.reason == "entry":
		kind = AskedBack
		about, ok, err = s.turnBefore(ctx, e, events.AskedBack)
		o.chosen = e.entry
	case e.kind == events.Feedback && e.reason == events.ReasonNoHelp:
		kind = NoHelp
		about, ok, err = s.turnBefore(ctx, e, events.Answered)
	case e.kind == events.HandedOff && ownWords(bot.Reason(e.reason)):
		kind = HandedOff
	case e.kind == events.HandedOff && e.reason == string(bot.ReasonAskedPerson):
		kind = HandedOff
		about, ok, err = s.turnBefore(ctx, e, events.Answered, events.AskedBack)
	default:
		return o, false, nil
	}
	if about.id == e.id && (kind == HandedOff || kind == Unanswered || kind == AskedBack) {
		about, err = s.ofComplaint(ctx, e)
		ok = about.id != ""
	}
	if err != nil || kind != Found && !ok {
		return o, false, err
	}
	o.Question = Question{Turn: bot.TurnID(about.cause), Conversation: bot.ConversationID(e.conversation), Kind: kind, Entry: about.entry,
		Probability: about.probability, At: about.at, episode: e.episode, chosen: o.chosen}
	o.affiliate = e.affiliate
	return o, true, s.fillPlace(ctx, &o)
}

// ownWords reports whether a handoff for this reason is about the words that led to it, and an entry could have
// answered them.
func ownWords(r bot.Reason) bool {
	switch r {
	case bot.ReasonNoAnswer, bot.ReasonUnsure, bot.ReasonCloseCall, bot.ReasonUrgent:
		return true
	}
	return false
}

// turnBefore is the last turn of the matter, before an event, that did one of some things; small talk is left out.
func (s *Service) turnBefore(ctx context.Context, e event, kinds ...events.Kind) (event, bool, error) {
	args := []any{e.conversation, e.episode, e.id, e.cause, string(bot.ReasonSmallTalk)}
	var in []string
	for _, k := range kinds {
		args = append(args, string(k))
		in = append(in, fmt.Sprintf("$%d", len(args)))
	}
	list, err := selectEvents(ctx, s.db, `conversation_id = $1 AND episode_id = $2 AND id < $3 AND cause <> $4 AND reason <> $5
		AND kind IN (`+strings.Join(in, ", ")+`) ORDER BY id DESC LIMIT 1`, args...)
	if err != nil || len(list) == 0 {
		return event{}, false, err
	}
	return list[0], true, nil
}

// ofComplaint is the event itself, unless its turn heard that an answer did not help: then its words are that, and the
// question is the one that was answered.
func (s *Service) ofComplaint(ctx context.Context, e event) (event, error) {
	var complained bool
	if err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE conversation_id = $1 AND cause = $2 AND kind = $3)`,
		e.conversation, e.cause, string(events.Feedback)).Scan(&complained); err != nil {
		return event{}, fmt.Errorf("read events: %w", err)
	}
	if !complained {
		return e, nil
	}
	before, _, err := s.turnBefore(ctx, e, events.Answered)
	return before, err
}

// fillPlace fills in where and in which language a question was asked, and whose it is.
func (s *Service) fillPlace(ctx context.Context, o *observation) error {
	err := s.db.QueryRowContext(ctx, `SELECT channel, locale FROM conversations WHERE id = $1`, o.Conversation).Scan(&o.Channel, &o.Locale)
	if err == nil && o.affiliate == "" && o.Entry != "" { // an account of everyone's: whose entry was nearest
		err = s.db.QueryRowContext(ctx, `SELECT affiliate FROM entries WHERE id = $1`, o.Entry).Scan(&o.affiliate)
	}
	if errors.Is(err, sql.ErrNoRows) { // the customer was erased meanwhile
		return nil
	}
	if err != nil {
		return fmt.Errorf("find where a question was asked: %w", err)
	}
	return nil
}

// embed fills in the words and vectors of observations, and leaves those out that have no words.
func (s *Service) embed(ctx context.Context, list []observation) ([]observation, error) {
	var turns []bot.TurnID
	for _, o := range list {
		turns = append(turns, o.Turn)
	}
	words, err := wordsOf(ctx, s.db, turns)
	if err != nil {
		return nil, err
	}
	var out []observation
	for _, o := range list {
		if o.Words = words[o.Turn]; o.Words == "" || o.affiliate == "" {
			continue
		}
		o.space = s.english
		if foreign := o.Locale != "" && !strings.HasPrefix(strings.ToLower(o.Locale), "en") || locale.OtherScript(o.Words); foreign && s.multilingual.Embedder != nil {
			o.space = s.multilingual
		}
		vectors, err := o.space.Embed(ctx, []string{o.Words})
		if err != nil {
			return nil, fmt.Errorf("embed a question: %w", err)
		}
		o.vector = unit(vectors[0])
		out = append(out, o)
	}
	return out, nil
}
