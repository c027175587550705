package retrieval

import (
	"slices"

	"faqbot/knowledge"
)

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

// FollowUps returns the entries to suggest after the answer of one, in its order: those that are published in its
// language and hold now.
func (s *Searcher) FollowUps(e knowledge.Entry) (list []knowledge.Entry) {
	if len(e.FollowUps) == 0 {
		return nil
	}
	byKey := map[string]knowledge.Entry{}
	for _, other := range s.Entries([]knowledge.AffiliateID{e.Affiliate}) {
		if other.Locale == e.Locale && other.ID != e.ID && slices.Contains(e.FollowUps, other.Key) {
			byKey[other.Key] = other
		}
	}
	for _, key := range e.FollowUps {
		if other, ok := byKey[key]; ok {
			list = append(list, other)
		}
	}
	return list
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
