package main

import (
	"context"
	"maps"
	"net/url"
	"slices"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/bot/webchat"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/faqsite"
	"faqbot/retrieval"
)

// newFAQSite returns the public FAQs, which find, speak and link as the rest does.
func newFAQSite(s *service) (*faqsite.Site, error) {
	return faqsite.New(s.db, s.corpus, s.brands, faqsite.Options{Search: s.searchFAQ, Chat: s.chatOf, Disclosure: s.faqDisclosure,
		Media: s.media, PublicURL: s.config.Server.PublicURL, Log: s.log})
}

// minOdds is how likely, beside the best entry that a search finds, another must be to be shown.
const minOdds = 0.02

// searchFAQ finds what a reader of a public FAQ looks for, as the bot finds what answers a customer.
func (s *service) searchFAQ(ctx context.Context, q faqsite.Search) (found []knowledge.Entry, err error) {
	r, err := s.searcher.Search(ctx, retrieval.Query{Text: q.Text, Language: q.Locale, Locale: q.Locale, Affiliates: []knowledge.AffiliateID{q.Affiliate}, Limit: q.Limit})
	for _, hit := range r.Hits {
		if hit.Odds >= minOdds {
			found = append(found, hit.Entry)
		}
	}
	return found, err
}

// chatOf is where an affiliate's own chat opens, "" if they have none.
func (s *service) chatOf(affiliate knowledge.AffiliateID) string {
	all := s.networks.accounts.All()
	for _, owns := range []func(bot.Account) bool{
		func(a bot.Account) bool { return a.Owner() == affiliate },
		func(a bot.Account) bool { return slices.Contains(a.Affiliates, affiliate) },
	} {
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if a := all[key].Account; a.Channel == webchat.Network().Name && owns(a) {
				return "/chat/" + url.PathEscape(a.ID)
			}
		}
	}
	return ""
}

// faqDisclosure is what an affiliate says of links, if they say it.
func (s *service) faqDisclosure(b brand.Brand, locale string) string {
	if !b.SaysLinks {
		return ""
	}
	return s.phrases.For(b).Say(locale, dialogue.PhraseAffiliateLinks)
}
