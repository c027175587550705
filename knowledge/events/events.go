// Package events is the record of what happened: received, answered, handed off, published. Figures, gaps and learning
// count its rows. A row is written in the transaction that causes it, so none is lost or doubled by a crash, and it
// holds IDs, typed reasons and numbers but no words: it may stay when a conversation's words are deleted.
//
// It is not for what must still be done (that is a row in a queue), nor for how a decision came about (bot.Trace).
package events

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"time"

	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("events", migrations) }

// Kind says what happened. Its comment names the cause of the event, and the reason if it has one.
type Kind string

const (
	Received     Kind = "received"      // a message of a customer was stored. Cause: the message; reason: ReasonStandby or none
	Tapped       Kind = "tapped"        // that message was a tap on a button. Cause: the message; reason: which button
	Answered     Kind = "answered"      // a turn answered. Cause: the turn; reason: a bot.Reason
	AlsoAnswered Kind = "also_answered" // the turn answered by a further entry. Cause and reason: the same
	AskedBack    Kind = "asked_back"    // a turn asked back; the entry was offered first, or found nearest if nothing answers. Cause, reason: as Answered
	Feedback     Kind = "feedback"      // the customer said whether the entry helped. Cause: the turn; reason: ReasonHelped, ReasonNoHelp
	PageFeedback Kind = "page_feedback" // a reader of a public FAQ said whether the entry helped. Cause: none; reason: as Feedback
	HandedOff    Kind = "handed_off"    // the bot gave the conversation to people; the entry as in AskedBack. Cause: the escalation, which has the turn's ID; reason: a bot.Reason
	Taken        Kind = "taken"         // an agent took a ticket. Cause: the ticket
	Replied      Kind = "replied"       // a person of ours wrote. Cause: their first message
	Closed       Kind = "closed"        // a ticket was closed. Cause: the ticket; reason: a handoff.Resolution
	Reopened     Kind = "reopened"      // a ticket was opened again. Cause: the ticket
	Published    Kind = "published"     // an affiliate's entries changed. Cause: the revision
)

// Reasons of events that no decision stands behind.
const (
	ReasonStandby = "standby" // another program answers the message
	ReasonHelped  = "helped"
	ReasonNoHelp  = "no_help"
)

// An Event is one thing that happened. What does not apply to its kind is "" or 0.
type Event struct {
	Kind         Kind
	At           time.Time
	Affiliate    string
	Conversation string
	Episode      string // the matter it was about
	Cause        string
	Entry        string
	Probability  float64 // that Entry is the one that was meant, 0 if it was not searched for
	Reason       string
	Agent        string
}

// Append stores events in the transaction that causes them.
func Append(ctx context.Context, tx *sql.Tx, list ...Event) error {
	var ids sqldb.Sequence
	for _, e := range list {
		if _, err := tx.ExecContext(ctx, `INSERT INTO events
			(id, kind, at, affiliate, conversation_id, episode_id, cause, entry, probability, reason, agent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			ids.Next(e.At), string(e.Kind), e.At.UnixMilli(), e.Affiliate, e.Conversation, e.Episode, e.Cause, e.Entry, e.Probability,
			e.Reason, e.Agent); err != nil {
			return fmt.Errorf("store the event %s: %w", e.Kind, err)
		}
	}
	return nil
}

// MergeEpisodes makes an episode's events of some conversations part of another episode.
func MergeEpisodes(ctx context.Context, tx *sql.Tx, conversations []string, from, into string) error {
	for _, id := range conversations {
		if _, err := tx.ExecContext(ctx, `UPDATE events SET episode_id = $3 WHERE conversation_id = $1 AND episode_id = $2`, id, from, into); err != nil {
			return fmt.Errorf("merge the events of two episodes: %w", err)
		}
	}
	return nil
}

// List reads all events, in the order in which they happened.
func List(ctx context.Context, r sqldb.Reader) (list []Event, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var e Event
		var at int64
		err := rows.Scan(&e.Kind, &at, &e.Affiliate, &e.Conversation, &e.Episode, &e.Cause, &e.Entry, &e.Probability, &e.Reason, &e.Agent)
		e.At = sqldb.Time(at)
		list = append(list, e)
		return err
	}, `SELECT kind, at, affiliate, conversation_id, episode_id, cause, entry, probability, reason, agent FROM events ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return list, nil
}
