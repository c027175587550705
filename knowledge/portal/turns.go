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
	workCrawling   = "crawling"
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
	return &told{status: http.StatusTooManyRequests, key: "turn_" + kind}
}

// errBusy says that too many others have files read.
func errBusy() *told {
	return &told{status: http.StatusServiceUnavailable, key: "busy"}
}
