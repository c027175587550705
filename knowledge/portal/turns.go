package portal

import (
	"net/http"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// Kinds of long work, of which an affiliate has one of each at a time: whoever sends file after file waits
// for themself, not everybody for them.
const (
	workReading    = "reading"
	workTrying     = "trying"
	workPublishing = "publishing"
)

// turns are who does what now.
type turns struct{ slots limits.Slots }

// begin begins work, unless the affiliate has some of the kind already. end ends it.
func (t *turns) begin(kind string, affiliate knowledge.AffiliateID) (end func(), ok bool) {
	return t.slots.Take(limits.Bound{Key: kind + "\x00" + string(affiliate), Max: 1})
}

// errTurn says that the affiliate's last work of the kind goes on.
func errTurn(kind string) *told {
	p := problem("Another upload of yours is being read.", "Nothing was changed.", "Wait until it is read, half a minute at most, and try again.")
	switch kind {
	case workTrying:
		p = problem("Another question of yours is being answered.", "Nothing was changed.", "Wait for its answer, then ask again.")
	case workPublishing:
		p = problem("Something of yours is being published.", "Nothing was changed by this.", "Wait until it is published, a minute at most, then look at the history and publish again if need be.")
	}
	return &told{http.StatusTooManyRequests, "One at a time", p}
}

// errBusy says that too many others have files read.
func errBusy() *told {
	return &told{http.StatusServiceUnavailable, "Busy reading", problem("Other files are being read, and yours had to wait too long.",
		"Nothing was changed.", "Try again in a minute.")}
}
