package conversations

import (
	"context"
	"fmt"

	"faqbot/bot"
)

// Templates lists what may be written to a customer once the window has closed, none if their network
// knows no templates.
func (c *Service) Templates(ctx context.Context, id bot.ConversationID) ([]bot.Template, error) {
	conv, err := c.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	t, ok := c.accounts.Channel(conv.Address.Key()).(bot.Templater)
	if !ok {
		return nil, nil
	}
	return t.Templates(ctx)
}

// SayTemplate sends a template for agent, with values for its variables, whether the window is open
// or not. What is wrong with it is a *SendError, and nothing is stored. The same key again changes
// nothing.
func (c *Service) SayTemplate(ctx context.Context, id bot.ConversationID, key, agent, name, language string, values []string) error {
	list, err := c.Templates(ctx, id)
	if err != nil {
		return fmt.Errorf("templates of conversation %s: %w", id, err)
	}
	for _, t := range list {
		if t.Name != name || t.Language != language {
			continue
		}
		filled, text, err := t.Fill(values)
		if err != nil {
			return &bot.SendError{Kind: bot.SendRefused, Code: "template", Err: err}
		}
		return c.Say(ctx, id, key, bot.Reply{Text: text, Agent: agent, Template: &filled})
	}
	return &bot.SendError{Kind: bot.SendRefused, Code: "template", Err: fmt.Errorf("there is no template %s in %s", name, language)}
}
