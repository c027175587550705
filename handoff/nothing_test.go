package handoff

import (
	"context"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// nothing is a retriever that finds nothing.
type nothing struct{}

func (nothing) Search(context.Context, retrieval.Query) (retrieval.Result, error) {
	return retrieval.Result{}, nil
}

func (nothing) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (nothing) Entry([]knowledge.AffiliateID, knowledge.EntryID) (knowledge.Entry, bool) {
	return knowledge.Entry{}, false
}
