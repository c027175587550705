package store

import (
	"time"

	"faqbot/bot"
	"faqbot/knowledge/backoff"
)

const (
	// QuietPeriod is how long a customer must have been quiet before a turn answers: people send one
	// thought in several messages.
	QuietPeriod = 700 * time.Millisecond
	// maxQuietPeriod is how long somebody who keeps typing waits at most.
	maxQuietPeriod = 3 * time.Second
	// episodeGap of silence ends an episode.
	episodeGap = 24 * time.Hour
	// standby stands for the turn of messages that another program answers.
	standby bot.TurnID = "overheard"
)

// What becomes of deliveries is decided by the courier and by statuses: both follow these.
const (
	// withdrawAfter is how long a bot's reply may wait for its network, unless that is away or throttles us: then
	// maxLate, the promise of a desk that states none, or until the window closes. Then a person takes over.
	withdrawAfter = 10 * time.Minute
	maxLate       = 4 * time.Hour
	// maxAgainAttempts bounds the tries after a network took a message and did not deliver it, or said that
	// a window that we know to be open is closed.
	maxAgainAttempts = 3
)

// SendBackoff is the wait after a delivery's n-th failed attempt: 1, 4, 15, 60 s, then 10 min, and
// from the 7th on 4 h.
func SendBackoff(n int) time.Duration {
	return backoff.Waits{time.Second, 4 * time.Second, 15 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute, 4 * time.Hour}.After(n)
}

// FetchWaits are the waits after a file's failed tries. After one more it is lost.
func FetchWaits() backoff.Waits {
	return backoff.Waits{time.Second, 5 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour}
}

// TurnWaits are the waits after a turn's first, second, third failure, and after any later one.
func TurnWaits() backoff.Waits {
	return backoff.Waits{2 * time.Second, 8 * time.Second, 30 * time.Second}
}
