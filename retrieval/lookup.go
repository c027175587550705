package retrieval

import "faqbot/knowledge"

// Entry returns the entry that id names if one of affiliates has it published and it holds now. It
// is for taps on a choice, whose ID a customer can forge.
func (s *Searcher) Entry(affiliates []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	now := s.opts.Now()
	for _, p := range s.pick(affiliates) {
		for _, e := range p.entries {
			if e.ID == id {
				return e, e.Holds(now)
			}
		}
	}
	return knowledge.Entry{}, false
}

// Entries returns what affiliates have published that holds now, by affiliate and ID.
func (s *Searcher) Entries(affiliates []knowledge.AffiliateID) (list []knowledge.Entry) {
	now := s.opts.Now()
	for _, p := range s.pick(affiliates) {
		for _, e := range p.entries {
			if e.Holds(now) {
				list = append(list, e)
			}
		}
	}
	return list
}
