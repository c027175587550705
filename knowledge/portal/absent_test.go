package portal

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The dangerous small file does not empty the FAQ: what it lacks stays, and to remove most of it, the number
// is typed in.
func TestRemovingMostIsTypedIn(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "all.csv", "id,question,answer\na,A?,1\nb,B?,2\nc,C?,3\n")
		at := s.preview("shop-one", "small.csv", "id,question,answer\na,A?,new\n")
		assert.Contains(t, text(s.read("ann", at)), "2 published entries not in the file stay")
		all := s.sent("ann", at+"/absent", url.Values{"absent": {"retire"}})
		assert.Contains(t, text(s.read("ann", all)), "2 entries will be removed.")
		for _, typed := range []string{"", "3"} {
			again := s.sent("ann", all+"/publish", url.Values{"removed": {typed}})
			assert.Contains(t, text(s.read("ann", again)), "That was not the number.")
		}
		assert.Len(t, s.published("shop-one"), 3)
		back := s.sent("ann", all+"/absent", url.Values{"absent": {"stay"}})
		assert.Contains(t, text(s.read("ann", back)), "2 published entries not in the file stay")
		all = s.sent("ann", back+"/absent", url.Values{"absent": {"retire"}})
		s.sent("ann", all+"/publish", url.Values{"removed": {"2"}})
		assert.Len(t, s.published("shop-one"), 1)
	})
}
