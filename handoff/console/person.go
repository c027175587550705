package console

import (
	"slices"

	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/people"
)

// affiliatesOf are those whose things p may see, as a filter wants them.
func affiliatesOf(p reader) []knowledge.AffiliateID {
	if p.Disabled {
		return nil
	}
	return p.Affiliates
}

// same reports whether b may see what a may.
func same(a, b people.Person) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Role == b.Role && a.Disabled == b.Disabled && slices.Equal(a.Affiliates, b.Affiliates)
}

// agent is how the desk and the customers know the person.
func agent(p reader) handoff.AgentID { return handoff.AgentID(p.Name) }
