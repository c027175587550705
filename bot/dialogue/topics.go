package dialogue

import (
	"context"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
)

// heedTopics hands over what the bot would answer if the affiliate wants a person to answer such questions.
func (e *Engine) heedTopics(ctx context.Context, v Verdict) (Verdict, error) {
	if e.brands == nil {
		return v, nil
	}
	if v.Below != nil { // it goes to a person anyway
		policy, err := e.strictest(ctx, []knowledge.Entry{*v.Below})
		if policy != brand.PolicyAnswer {
			v.Below, v.Entries = nil, nil
		}
		return v, err
	}
	if v.Answer == nil {
		return v, nil
	}
	answers := append([]knowledge.Entry{*v.Answer}, v.More...)
	policy, err := e.strictest(ctx, answers)
	if err != nil || policy == brand.PolicyAnswer {
		return v, err
	}
	held := handoff("a person answers this topic", bot.ReasonTopicPolicy, PhraseHandoff)
	held.Score, held.Held, held.Draft = v.Score, answers, policy == brand.PolicyDraft
	return held, nil
}

// strictest is the policy that leaves the bot least of the topics of some entries.
func (e *Engine) strictest(ctx context.Context, entries []knowledge.Entry) (strictest brand.Policy, err error) {
	for _, entry := range entries {
		b, err := e.brands.Of(ctx, entry.Affiliate)
		if err != nil {
			return strictest, err
		}
		switch policy := b.Policy(entry.Topic); {
		case policy == brand.PolicyPerson, strictest == brand.PolicyAnswer:
			strictest = policy
		}
	}
	return strictest, nil
}

// hold fills in an escalation of what a person answers.
func hold(e *bot.Escalation, v Verdict) {
	e.Affiliate, e.Topic = v.Held[0].Affiliate, v.Held[0].Topic
	var answers []string
	for _, entry := range v.Held {
		e.Tried = append(e.Tried, entry.ID)
		answers = append(answers, entry.Answer)
	}
	if v.Draft {
		e.Draft = strings.Join(answers, "\n\n")
	}
}
