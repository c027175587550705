package console

import (
	"errors"
	"net/url"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff/review"
	"faqbot/retrieval/learn"
)

// A judged answer is one that the reader is asked about: it was drawn at random.
type judged struct {
	Turn                    string
	Asked, Question, Answer string
}

// drawSample goes to the conversation of the next answer that was drawn, or back to all conversations if none is left.
func (c *Console) drawSample(g *gin.Context, p reader) error {
	at := talksPlace(g)
	if c.o.Review == nil {
		return done(g, at.list("done", "judged"))
	}
	q, err := c.o.Review.Draw(g.Request.Context(), scope(p, at), g.Query("after"), true)
	if errors.Is(err, review.ErrNothing) {
		return done(g, at.list("done", "judged"))
	}
	if err != nil {
		return err
	}
	return done(g, "/desk/conversations/"+url.PathEscape(string(q.Conversation))+at.query("judge", string(q.Turn)))
}

// lookJudged fills in the answer that the address asks about, if it may be judged.
func (c *Console) lookJudged(g *gin.Context, v *caseView, conv bot.Conversation) error {
	q, err := c.toJudge(g, bot.TurnID(g.Query("judge")), conv)
	if err != nil || q == nil {
		return err
	}
	v.Judged = &judged{string(q.Turn), q.Asked, q.Answer.Question, cut(q.Answer.Answer, 300)}
	return nil
}

// toJudge is a turn of a conversation that may be judged, nil if there is no such.
func (c *Console) toJudge(g *gin.Context, id bot.TurnID, conv bot.Conversation) (*review.Question, error) {
	if c.o.Review == nil || id == "" {
		return nil, nil
	}
	q, err := c.o.Review.Question(g.Request.Context(), id)
	if errors.Is(err, review.ErrNotFound) || err == nil && q.Conversation != conv.ID {
		return nil, nil
	}
	return &q, err
}

// judge keeps what the reader says of an answer, and goes to the next one.
func (c *Console) judge(g *gin.Context, p reader) error {
	ctx := g.Request.Context()
	conv, err := c.conversationOf(ctx, p, bot.ConversationID(g.Param("conversation")))
	if err != nil {
		return err
	}
	q, err := c.toJudge(g, bot.TurnID(g.PostForm("turn")), conv)
	if err != nil {
		return err
	}
	if q == nil { // it is gone, or there is none
		return done(g, "/desk/sample"+talksPlace(g).query())
	}
	verdicts := map[string]learn.Verdict{"right": learn.Best, "wrong": learn.Wrong, "none": learn.None}
	if v, ok := verdicts[g.PostForm("verdict")]; ok { // else it is left out
		if err := c.o.Review.Judge(ctx, *q, v, learn.Desk, p.Name); err != nil {
			return err
		}
	}
	return done(g, "/desk/sample"+talksPlace(g).query("after", review.Place(q.Turn)))
}
