package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/knowledge/events"
)

// at is a moment of the run that the tests below check.
func at(seconds int) time.Time { return time.Unix(1_800_000_000+int64(seconds), 0).UTC() }

// sent is a settled delivery of text, whose message is "m" and whose network ID is id.
func sent(n int, seq int64, text string, id int64) store.AuditDelivery {
	return store.AuditDelivery{ID: bot.DeliveryID("d" + strconv.Itoa(n)), Conversation: "c1", Lane: store.LaneCustomer, Seq: seq,
		Message: bot.MessageID("r" + strconv.Itoa(n)), State: "sent", External: strconv.FormatInt(id, 10), Reply: &bot.Reply{Text: text}}
}

// good is what is left of a run in which all went well: chat 7 asked twice, tapped, mended a message,
// was handed off, wrote to the person, whose answer came, and life 1 was killed between the network's
// receipt of the first answer and our settling it.
func good() evidence {
	customer := func(n, seq int, update int64, turn bot.TurnID) store.AuditMessage {
		return store.AuditMessage{ID: bot.MessageID("m" + strconv.Itoa(n)), Conversation: "c1", Seq: int64(seq), Author: bot.AuthorCustomer,
			Body: "words " + strconv.Itoa(n), External: updateName(update), Turn: turn}
	}
	ours := func(n, seq int, author bot.Author, text string, turn bot.TurnID) store.AuditMessage {
		return store.AuditMessage{ID: bot.MessageID("r" + strconv.Itoa(n)), Conversation: "c1", Seq: int64(seq), Author: author, Body: text, External: "say:key:0", Turn: turn}
	}
	tap := customer(3, 5, 4, "turn3")
	tap.Choice = bot.ChoicePerson
	e := evidence{
		Kills: []kill{{Life: 1, What: string(sendReceived), Targeted: true, At: at(11)}}, Lives: 2,
		Sayings: []saying{
			{Event: "u1", Chat: 7, Kind: wrote, Text: "words 1", At: at(0)},
			{Event: "u2", Chat: 7, Kind: wrote, Text: "before", At: at(20)},
			{Event: "u3", Chat: 7, Kind: mended, Text: "words 2", Of: "u2", At: at(21)},
			{Event: "u4", Chat: 7, Kind: tapped, At: at(30)},
			{Event: "u5", Chat: 7, Kind: wrote, Text: "words 4", At: at(40)},
			{Event: "u6", Chat: 7, Kind: mended, Text: "words 5", Of: "u5", At: at(41)},
		},
		Replies:       []agentReply{{Ticket: "t1", Text: "a person's words"}},
		Conversations: []store.AuditConversation{{ID: "c1", Customer: "7", Mode: bot.ModePerson}},
		Messages: []store.AuditMessage{
			customer(1, 1, 1, "turn1"), ours(1, 2, bot.AuthorBot, "answer 1", "turn1"),
			customer(2, 3, 2, "turn2"), ours(2, 4, bot.AuthorBot, "answer 2", "turn2"),
			tap, ours(3, 6, bot.AuthorBot, "a person will come", "turn3"),
			customer(4, 8, 5, "turn4"), ours(4, 10, bot.AuthorAgent, "a person's words", ""),
			customer(5, 11, 6, "turn5"),
		},
		Turns: []store.AuditTurn{
			{ID: "turn1", Conversation: "c1", Action: bot.ActionAnswer, Reason: bot.ReasonConfident},
			{ID: "turn2", Conversation: "c1", Action: bot.ActionClarify, Reason: bot.ReasonUnsure},
			{ID: "turn3", Conversation: "c1", Action: bot.ActionHandoff, Reason: bot.ReasonAskedPerson},
			{ID: "turn4", Conversation: "c1", Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt},
			{ID: "turn5", Conversation: "c1", Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt},
		},
		Deliveries: []store.AuditDelivery{
			sent(1, 2, "answer 1", 102), sent(2, 4, "answer 2", 103), sent(3, 6, "a person will come", 104),
			sent(4, 10, "a person's words", 105),
			{ID: "n1", Conversation: "c1", Lane: store.LaneDesk, Seq: 7, State: "sent", News: &bot.DeskEvent{Escalation: &bot.Escalation{ID: "turn3"}}},
			{ID: "n2", Conversation: "c1", Lane: store.LaneDesk, Seq: 9, State: "sent", News: &bot.DeskEvent{Wrote: []bot.MessageID{"m4"}}},
			{ID: "n3", Conversation: "c1", Lane: store.LaneDesk, Seq: 12, State: "sent", News: &bot.DeskEvent{Wrote: []bot.MessageID{"m5"}}},
		},
		Tickets: []handoff.AuditTicket{{ID: "t1", Escalation: "turn3", Conversation: "c1", State: "assigned", Assignee: "anna"}},
		Events:  goodEvents(),
		Notes:   map[string]bool{},
		Arrivals: []arrival{
			{ID: "101", Chat: 7, Text: "answer 1", At: at(10), Life: 1},
			{ID: "102", Chat: 7, Text: "answer 1", At: at(12), Life: 2},
			{ID: "103", Chat: 7, Text: "answer 2", At: at(22), Life: 2},
			{ID: "104", Chat: 7, Text: "a person will come", At: at(31), Life: 2},
			{ID: "105", Chat: 7, Text: "a person's words", At: at(50), Life: 2},
		},
	}
	e.Deliveries[0].Doubts = 1
	for _, s := range e.Sayings {
		e.Accepted = append(e.Accepted, accepted{s.Event, s.At})
	}
	return e
}

// goodEvents are the events of good.
func goodEvents() (list []events.Event) {
	for _, e := range []told{{events.Received, "m1"}, {events.Answered, "turn1"}, {events.Received, "m2"}, {events.AskedBack, "turn2"},
		{events.Received, "m3"}, {events.Tapped, "m3"}, {events.HandedOff, "turn3"}, {events.Taken, "t1"},
		{events.Received, "m4"}, {events.Replied, "r4"}, {events.Received, "m5"}} {
		list = append(list, events.Event{Kind: e.kind, Cause: e.cause, Conversation: "c1"})
	}
	return list
}

func TestCheckFindsNothingWrongWithAGoodRun(t *testing.T) {
	r := check(good())
	require.Empty(t, r.Violations)
	require.Equal(t, 4, r.Delivered)
	require.Equal(t, []repeat{{Delivery: "d1", Chat: 7, Times: []time.Time{at(10), at(12)}, Kill: good().Kills[0]}}, r.Repeats)
	require.Equal(t, map[bot.Action]int{bot.ActionAnswer: 1, bot.ActionClarify: 1, bot.ActionHandoff: 1, bot.ActionForward: 2}, r.Turns)
	require.Equal(t, 1, r.Tickets)
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 10 * time.Second}, r.SinceSaid)
}

// Every way in which a run can go wrong, planted into a good one, is found and called by its name.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*evidence)
		fault fault
		says  string
	}{
		"an update that was never taken": {func(e *evidence) { e.Accepted = e.Accepted[1:] }, lost, "never taken"},
		"a taken message that is not stored": {func(e *evidence) {
			e.Messages = slices.Delete(e.Messages, 2, 3)
		}, lost, "event u2 (message, chat 7) was taken and is stored 0 times"},
		"a tap that is not stored": {func(e *evidence) { e.Messages = slices.Delete(e.Messages, 4, 5) }, lost, "event u4 (tap"},
		"a message stored twice": {func(e *evidence) {
			m := e.Messages[0]
			m.ID, m.Seq = "m1b", 20
			e.Messages = append(e.Messages, m)
		}, lost, "event u1 (message, chat 7) was taken and is stored 2 times"},
		"a message with other words":   {func(e *evidence) { e.Messages[0].Body = "else" }, lost, "other words"},
		"an edit that changed nothing": {func(e *evidence) { e.Messages[2].Body = "before" }, lost, "edit u3 (chat 7) of event u2"},
		"an edit heard anew and lost":  {func(e *evidence) { e.Messages = e.Messages[:8] }, lost, "edit u6"},
		"a message in another's chat":  {func(e *evidence) { e.Conversations[0].Customer = "8" }, other, "is in the conversation with chat 8"},
		"a message nobody said":        {func(e *evidence) { e.Messages[0].External = "u99" }, other, "never said"},
		"messages stored in another order": {func(e *evidence) {
			e.Messages[0].External, e.Messages[2].External = "u2", "u1"
		}, order, "event u1 (chat 7) is stored after event u2"},
		"a message without a turn":   {func(e *evidence) { e.Messages[0].Turn = "" }, lost, "message m1 (u1, chat 7) has no turn"},
		"a turn that does not exist": {func(e *evidence) { e.Turns = e.Turns[1:] }, lost, "turn1, which does not exist"},
		"a message answered by two turns": {func(e *evidence) {
			e.Turns = append(e.Turns, store.AuditTurn{ID: "turn0", Conversation: "c1", Action: bot.ActionIgnore, Reason: bot.ReasonNothing})
		}, other, "answered twice"},
		"a turn that answers around another": {func(e *evidence) { e.Messages[4].Turn = "turn1" }, order, "with another turn's between"},
		"a turn that speaks before its time": {func(e *evidence) {
			e.Messages[1].Turn, e.Messages[3].Turn = "turn2", "turn1"
		}, order, "spoke before its time"},
		"an answer without words":  {func(e *evidence) { e.Messages[1].Turn = "" }, lost, "turn1 (chat 7, answer) says nothing"},
		"a reply without delivery": {func(e *evidence) { e.Deliveries = e.Deliveries[1:] }, lost, "reply r1 (chat 7) has no delivery"},
		"an unknown action":        {func(e *evidence) { e.Turns[0].Action = "shrug" }, lost, "shrug"},
		"ignored without a reason": {func(e *evidence) {
			e.Turns[1] = store.AuditTurn{ID: "turn2", Conversation: "c1", Action: bot.ActionIgnore}
		}, lost, "without a reason"},
		"a reply that never arrived": {func(e *evidence) { e.Arrivals = slices.Delete(e.Arrivals, 2, 3) }, lost, "d2 (chat 7) is marked sent and never arrived"},
		"a reply with other words":   {func(e *evidence) { e.Arrivals[2].Text = "else" }, other, "with other words"},
		"a reply that failed":        {func(e *evidence) { e.Deliveries[1].State = "failed" }, lost, "d2 (chat 7) is failed"},
		"a reply still queued":       {func(e *evidence) { e.Deliveries[1].State = "queued" }, lost, "d2 (chat 7) is queued"},
		"two deliveries of one ID":   {func(e *evidence) { e.Deliveries[1].External = "102" }, other, "another's"},
		"replies in another order": {func(e *evidence) {
			e.Arrivals[2].ID, e.Arrivals[3].ID = "104", "103"
			e.Arrivals[2].Text, e.Arrivals[3].Text = e.Arrivals[3].Text, e.Arrivals[2].Text
		}, order, "received delivery d2 after one that comes later"},
		"a repeat that was never in doubt": {func(e *evidence) { e.Deliveries[0].Doubts = 0 }, repeated, "it was never in doubt"},
		"a third time": {func(e *evidence) {
			e.Arrivals = slices.Insert(e.Arrivals, 1, arrival{ID: "101", Chat: 7, Text: "answer 1", At: at(11), Life: 1})
		}, repeated, "more often"},
		"a third time, in doubt twice": {func(e *evidence) {
			e.Deliveries[0].Doubts = 2
			e.Arrivals = slices.Insert(e.Arrivals, 1, arrival{ID: "101", Chat: 7, Text: "answer 1", At: at(11), Life: 2})
		}, repeated, "3 times"},
		"a repeat without a kill":  {func(e *evidence) { e.Kills = nil }, repeated, "with no kill in between"},
		"a repeat within one life": {func(e *evidence) { e.Arrivals[1].Life = 1 }, repeated, "with no kill in between"},
		"a repeat out of place": {func(e *evidence) {
			e.Arrivals = append(e.Arrivals, arrival{ID: "106", Chat: 7, Text: "answer 1", At: at(60), Life: 2})
		}, repeated, "which no delivery explains there"},
		"words nobody queued": {func(e *evidence) { e.Arrivals[0].Text = "buy this" }, repeated, "which no delivery explains there"},
		"doubtful, and no person knows": {func(e *evidence) {
			e.Deliveries[1].State, e.Deliveries[1].External, e.Deliveries[1].Doubts = "doubtful", "", 2
		}, lost, "d2 (chat 7) is doubtful and no person knows"},
		"given up after one try": {func(e *evidence) {
			e.Deliveries[1].State, e.Deliveries[1].External, e.Deliveries[1].Doubts = "doubtful", "", 1
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "delivery:d2", Conversation: "c1", State: "closed"})
		}, lost, "given up after one try"},
		"a handoff without ticket": {func(e *evidence) { e.Tickets[0].Escalation = "else" }, ticket, "handoff turn3 (chat 7) has 0 tickets"},
		"a handoff with two tickets": {func(e *evidence) {
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "turn3", Conversation: "c1", State: "closed"})
		}, ticket, "has 2 tickets"},
		"a ticket for an answer": {func(e *evidence) {
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "turn1", Conversation: "c1", State: "closed"})
		}, ticket, "was no handoff"},
		"two open tickets": {func(e *evidence) {
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "else", Conversation: "c1", State: "open"})
		}, ticket, "2 open tickets"},
		"waiting for a person without ticket": {func(e *evidence) { e.Tickets[0].State = "closed" }, lost, "waits for a person and has no open ticket"},
		"a ticket beside the bot":             {func(e *evidence) { e.Conversations[0].Mode = bot.ModeBot }, ticket, "the bot answers chat 7"},
		"forwarded to nobody":                 {func(e *evidence) { e.Deliveries[5].News.Wrote = nil }, lost, "turn4 (chat 7) was forwarded and no ticket heard"},
		"news that never came":                {func(e *evidence) { e.Deliveries[5].State = "queued" }, lost, "news n2"},
		"an agent's reply lost":               {func(e *evidence) { e.Messages[7].Body = "else" }, lost, "an agent's reply to ticket t1"},
		"an agent's reply nobody gave":        {func(e *evidence) { e.Replies = nil }, other, "no agent wrote it"},
		"an agent's reply not delivered":      {func(e *evidence) { e.Deliveries = slices.Delete(e.Deliveries, 3, 4) }, lost, "reply r4 has no delivery"},
		"taken twice":                         {func(e *evidence) { e.Accepted = append(e.Accepted, e.Accepted[0]) }, other, "taken twice"},
		"an event lost":                       {func(e *evidence) { e.Events = e.Events[1:] }, lost, "event received of m1 is there 0 times"},
		"an event doubled":                    {func(e *evidence) { e.Events = append(e.Events, e.Events[1]) }, lost, "event answered of turn1 is there 2 times"},
		"an event of nothing":                 {func(e *evidence) { e.Events[3].Kind = events.Answered }, other, "event answered of turn2 tells of nothing"},
		"an event with words":                 {func(e *evidence) { e.Events[0].Entry = canary }, logged, "holds words"},
		"an agent took no ticket":             {func(e *evidence) { e.Events = slices.Delete(e.Events, 7, 8) }, lost, "was taken 0 times"},
		"an open ticket closed by its events": {func(e *evidence) { e.Events = append(e.Events, events.Event{Kind: events.Closed, Cause: "t1"}) }, lost, "close it 1 times more"},
		"two conversations with a chat": {func(e *evidence) {
			e.Conversations = append(e.Conversations, store.AuditConversation{ID: "c2", Customer: "7", Mode: bot.ModeBot})
		}, other, "two conversations"},
		"a customer's words in the log": {func(e *evidence) { e.Leaks = []string{"info \"turn\""} }, logged, "words of a customer"},
		"a panic in the log":            {func(e *evidence) { e.Panics = []string{"panic: oh"} }, logged, "panic: oh"},
		"stuck work":                    {func(e *evidence) { e.Stuck = []string{"3 deliveries are queued"} }, lost, "not worked off in time"},
		"a rejected body":               {func(e *evidence) { e.Rejects = 1 }, lost, "rejected as unreadable"},
		"no load":                       {func(e *evidence) { *e = evidence{Kills: e.Kills} }, other, "nothing was put to the test"},
		"anything odd":                  {func(e *evidence) { e.Odd = []string{"exit status 2"} }, other, "exit status 2"},
	} {
		t.Run(name, func(t *testing.T) {
			e := good()
			c.plant(&e)
			found := slices.ContainsFunc(check(e).Violations, func(v violation) bool {
				return v.Fault == c.fault && strings.Contains(v.Text, c.says)
			})
			require.True(t, found, "%v", check(e).Violations)
		})
	}
}

// goodOnMeta is good on a network that gives our delivery's ID back: the answer that the kill left in
// doubt arrived once.
func goodOnMeta() evidence {
	e := good()
	e.ConfirmsReceipts, e.TapsApart = true, false
	e.Arrivals = e.Arrivals[1:]
	e.Arrivals[0].Life = 1
	for i := range e.Arrivals {
		e.Arrivals[i].Delivery = e.Deliveries[i].ID
	}
	return e
}

func TestCheckFindsNothingWrongWithAGoodRunOnMeta(t *testing.T) {
	r := check(goodOnMeta())
	require.Empty(t, r.Violations)
	require.Equal(t, 4, r.Delivered)
	require.Empty(t, r.Repeats)
}

// Where the network tells what arrived, a repeat is a fault even if a kill and a doubt explain it.
func TestCheckIsStricterWhereTheNetworkTells(t *testing.T) {
	again := func(e *evidence) {
		twice := e.Arrivals[0]
		twice.ID, twice.Life, twice.At = "200", 2, at(13)
		e.Arrivals = slices.Insert(e.Arrivals, 1, twice)
	}
	for name, c := range map[string]struct {
		plant func(*evidence)
		fault fault
		says  string
	}{
		"a repeat that a kill explains": {again, repeated, "2 times, on a network that tells"},
		"a message of no delivery":      {func(e *evidence) { e.Arrivals[1].Delivery = "" }, repeated, "names no delivery"},
		"a message of another's": {func(e *evidence) {
			e.Arrivals[1].Delivery = "d9"
		}, repeated, "message 103"},
		"doubtful although it arrived": {func(e *evidence) {
			e.Deliveries[1].State, e.Deliveries[1].External, e.Deliveries[1].Doubts = "doubtful", "", 2
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "delivery:d2", Conversation: "c1", State: "closed"})
		}, lost, "d2 (chat 7) arrived, the network said so"},
		"a reply that never arrived": {func(e *evidence) { e.Arrivals = slices.Delete(e.Arrivals, 1, 2) }, lost, "d2 (chat 7) is marked sent"},
		"replies in another order": {func(e *evidence) {
			e.Arrivals[0], e.Arrivals[1] = e.Arrivals[1], e.Arrivals[0]
		}, order, "received delivery d1 after one"},
		"a tap stored before its question": {func(e *evidence) {
			e.Messages[2].External, e.Messages[4].External = "u4", "u2"
		}, order, "event u2 (chat 7) is stored after event u4"},
	} {
		t.Run(name, func(t *testing.T) {
			e := goodOnMeta()
			c.plant(&e)
			found := slices.ContainsFunc(check(e).Violations, func(v violation) bool {
				return v.Fault == c.fault && strings.Contains(v.Text, c.says)
			})
			require.True(t, found, "%v", check(e).Violations)
		})
	}
	onTelegram := good()
	require.Empty(t, check(onTelegram).Violations, "the same repeat is none there")
}

// A reply that was in doubt twice, and of which a person knows, is no violation, however often it
// arrived up to then.
func TestCheckAcceptsDoubtfulRepliesThatAPersonKnowsOf(t *testing.T) {
	closed := events.Event{Kind: events.Closed, Cause: "t2"}
	for name, tell := range map[string]func(*evidence){
		"by a ticket": func(e *evidence) {
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "delivery:d1", Conversation: "c1", State: "closed"})
			e.Events = append(e.Events, closed)
		},
		"by a note": func(e *evidence) {
			e.Notes["fate:c1:13"] = true
			e.Deliveries = append(e.Deliveries, store.AuditDelivery{ID: "n4", Conversation: "c1", Lane: store.LaneDesk, Seq: 13, State: "sent",
				News: &bot.DeskEvent{Failure: &bot.DeliveryFailure{Message: "r1"}}})
		},
		"by a ticket that the news opened": func(e *evidence) {
			e.Tickets = append(e.Tickets, handoff.AuditTicket{ID: "t2", Escalation: "c1:13", Conversation: "c1", State: "closed"})
			e.Events = append(e.Events, closed)
			e.Deliveries = append(e.Deliveries, store.AuditDelivery{ID: "n4", Conversation: "c1", Lane: store.LaneDesk, Seq: 13, State: "sent",
				News: &bot.DeskEvent{Failure: &bot.DeliveryFailure{Message: "r1"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := good()
			e.Deliveries[0].State, e.Deliveries[0].External, e.Deliveries[0].Doubts = "doubtful", "", 2
			tell(&e)
			r := check(e)
			require.Empty(t, r.Violations)
			require.Len(t, r.Repeats, 1)
			require.Len(t, r.Doubtful, 1)
		})
	}
}
