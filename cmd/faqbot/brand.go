package main

import (
	"context"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/bot/webchat"
)

// chatBrand is what an affiliate says of themselves in the chat on a page, in a language that we speak. That the bot is
// automated the chat says by itself, unless the affiliate says it in other words.
func (s *service) chatBrand(ctx context.Context, a bot.Account, locale string) (webchat.Brand, error) {
	if a.Owner() == "" {
		return webchat.Brand{}, nil
	}
	b, err := s.brands.Of(ctx, a.Owner())
	w := webchat.Brand{Name: b.Name, Welcome: b.Say(locale, string(dialogue.PhraseGreeting)), Disclosure: b.Say(locale, string(dialogue.PhraseDisclosure)),
		Imprint: b.Imprint, Privacy: b.Privacy}
	if b.SaysLinks {
		if w.Disclosure != "" {
			w.Disclosure += " "
		}
		w.Disclosure += s.phrases.For(b).Say(locale, dialogue.PhraseAffiliateLinks)
	}
	return w, err
}
