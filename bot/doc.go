// Package bot holds what is said: customers, conversations, messages, the turns that answer them
// and the deliveries that carry them out. It hears (Intake), decides through an Engine (Runner),
// and carries out (Courier); people speak through Conversations. It knows no network by name, no
// web framework and no model: those are its sub-packages and its callers.
//
// # No customer message ends in silence
//
// Every effect is a row. Intake stores what a network posts before it gets its 200, as it came, in the
// inbox; one transaction takes it out and stores the message, which is the queue of work. A turn commits its replies, and the news for the desk, as
// deliveries in one transaction with the fact that the messages are answered. So a crash between
// any two statements loses nothing. A turn that keeps failing becomes a handoff, and so does a
// reply that cannot be sent.
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
// A crash between the network's receipt and our settling, or a time-out, leaves a delivery that may
// have arrived. Where the network cannot tell us (Limits.Resend), it is sent once more and counted;
// a second doubt becomes a ticket. Everywhere else it is never sent twice.
package bot
