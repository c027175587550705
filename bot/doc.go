// Package bot is the types and rules of conversations that all its sub-packages share: what a network tells (Event),
// what is said (Conversation, Message), what is decided (Turn, Outcome), what a network can carry (Channel, Limits).
// It knows no network by name, no database, no web framework and no model.
//
// # The way of a message
//
//	webhook      verifies the network's signature
//	inbound      Receive stores the post as it came; drain takes a batch, decodes it and stores the events
//	store        storeEvent: openConversation, storeMessage, and the turn is due
//	turns        claims the turn, asks the Engine, commits: the message is answered, deliveries are queued
//	outbound     claims a delivery, sends it, and stores what became of it
//
// People read and speak through package conversations. Imports go one way; cmd/faqbot/arch_test.go has the order.
//
// # No customer message ends in silence
//
// Every effect is a row. A post is stored as it came before its network gets a 200. One transaction takes it out of
// the inbox and stores the message, which is the queue of work. A turn commits its replies, and the events for the
// desk, as deliveries in one transaction with the fact that the messages are answered. So a crash between any two
// statements loses nothing. A turn that keeps failing becomes a handoff, and so does a reply that cannot be sent.
//
// # Why the lease is on the conversation
//
// Turns of one conversation must not overlap, and replies must keep their order, so a turn claims
// the conversation, not a message. A claim raises the conversation's fence, which only grows; a
// commit states the fence it claimed with and changes nothing if somebody raised it since: a
// worker that was thought dead, or a bot reply that a person overtook, cannot land late.
//
// # Why two lanes
//
// A conversation's deliveries go to the customer or to the desk. Order holds within a lane and
// neither waits for the other: a customer who blocked us must not keep his own ticket from opening.
//
// # In doubt
//
// A crash between the network's receipt and our storing it, or a time-out, leaves a delivery that may
// have arrived. Where the network cannot tell us (Limits.Resend), it is sent once more and counted;
// a second doubt becomes a ticket. Everywhere else it is never sent twice.
package bot
