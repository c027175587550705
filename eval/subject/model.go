package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"

	"faqbot/bot"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Model is a language model behind an OpenAI-compatible API that has the whole FAQ in its prompt: the baseline
// that people have in mind. It chooses entries and writes no text, so it is judged as everything else is.
type Model struct {
	client *openai.Client
	name   string
	prompt string
	known  map[knowledge.EntryID]knowledge.Entry
	said   func(string) string
}

var _ Subject = (*Model)(nil)

// NewModel asks the model of that name at baseURL.
func NewModel(name, baseURL, key string, entries []knowledge.Entry) *Model {
	c := openai.DefaultConfig(key)
	if baseURL != "" {
		c.BaseURL = strings.TrimSuffix(baseURL, "/")
	}
	m := &Model{client: openai.NewClientWithConfig(c), name: name, known: map[knowledge.EntryID]knowledge.Entry{}, said: labels(entries)}
	var b strings.Builder
	b.WriteString(instructions)
	for _, e := range entries {
		m.known[e.ID] = e
		line, _ := json.Marshal(map[string]any{"id": e.ID, "questions": e.Wordings(), "answer": e.Answer}) // texts and lists of texts
		b.Write(append(line, '\n'))
	}
	m.prompt = b.String()
	return m
}

const instructions = `You choose what a customer service bot does with a customer's last message. The bot can only give entries of the FAQ below, word for word.
Reply with one JSON object and nothing else:
{"action":"answer","entries":["ID"],"confidence":0.9} if an entry answers the message, with the probability that it does;
{"action":"clarify","entries":["ID","ID"],"confidence":0.4} to ask which of two or three entries is meant;
{"action":"none","entries":[],"confidence":0.1} if no entry answers it;
{"action":"handoff","entries":[],"confidence":0} if the customer wants a person, or is in danger;
{"action":"smalltalk","entries":[],"confidence":0} for greetings, thanks and goodbyes.
The FAQ, an entry a line:
`

func (m *Model) Name() string { return m.name }

func (m *Model) Close() error { return nil }

func (m *Model) Open(c suite.Case) Dialogue { return remember(c, m.said, m.ask) }

// A choice is what the model is asked for.
type choice struct {
	Action     string              `json:"action"`
	Entries    []knowledge.EntryID `json:"entries"`
	Confidence float64             `json:"confidence"`
}

func (m *Model) ask(ctx context.Context, q question) (Reply, error) {
	messages := []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleSystem, Content: m.prompt}}
	for _, text := range append(q.Context[:len(q.Context):len(q.Context)], q.Text) {
		messages = append(messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: text})
	}
	began, always := time.Now(), 1
	response, err := m.client.CreateChatCompletion(ctx, openai.ChatCompletionRequest{Model: m.name, Messages: messages, Seed: &always,
		ResponseFormat: &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}})
	if err == nil && len(response.Choices) == 0 {
		err = errors.New("the response has no choices")
	}
	if err != nil {
		return Reply{}, fmt.Errorf("ask the model about case %q: %w", q.ID, err)
	}
	r := m.reply(response.Choices[0].Message.Content)
	r.Took, r.Tokens = time.Since(began), Tokens{response.Usage.PromptTokens, response.Usage.CompletionTokens}
	return r, nil
}

// reply is what the model's words say. Words that are no choice, and entries that it invents, are the model's
// failure and count as no answer.
func (m *Model) reply(words string) Reply {
	var c choice
	if err := json.Unmarshal([]byte(words), &c); err != nil {
		return Reply{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer, Rule: "the model's reply is no JSON"}
	}
	r := Reply{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer, Rule: c.Action}
	for _, id := range c.Entries {
		if e, ok := m.known[id]; ok {
			r.Entries = append(r.Entries, id)
			r.Ranked = append(r.Ranked, Ranked{id, c.Confidence / float64(len(r.Entries))})
			r.Texts = append(r.Texts, e.Answer)
		}
	}
	switch {
	case c.Action == "answer" && len(r.Entries) > 0:
		r.Action, r.Reason, r.Entries, r.Texts = bot.ActionAnswer, bot.ReasonConfident, r.Entries[:1], r.Texts[:1]
	case c.Action == "smalltalk":
		r.Action, r.Reason, r.Entries, r.Texts = bot.ActionAnswer, bot.ReasonSmallTalk, nil, nil
	case c.Action == "handoff":
		r.Action, r.Reason, r.Entries, r.Texts = bot.ActionHandoff, bot.ReasonAskedPerson, nil, nil
	case c.Action == "clarify" && len(r.Entries) > 0:
		r.Reason, r.Texts = bot.ReasonUnsure, nil
	default:
		r.Entries, r.Texts = nil, nil
	}
	return r
}
