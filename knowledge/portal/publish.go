package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
)

// publish makes an upload's changes public. Posted twice, it publishes once.
func (p *Portal) publish(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	end, ok := p.turns.begin(workPublishing, s.affiliate)
	if !ok {
		return errTurn(workPublishing)
	}
	defer end()
	if u.Published == 0 {
		switch stateOf(u, s.revision) {
		case stateDraft:
		case stateDiscarded, stateEmpty:
			return see(g, s.at("/uploads/"+string(u.ID)))
		default:
			return p.preview(g, s, u, http.StatusConflict)
		}
		if u.RemovesMost() && strings.TrimSpace(g.PostForm("removed")) != strconv.Itoa(u.Retired()) {
			return see(g, s.at("/uploads/"+string(u.ID)+"?miscounted=1"))
		}
		if err := p.prepare(g.Request.Context(), s, u.Changes); err != nil {
			return err
		}
	}
	revision, err := p.corpus.Publish(g.Request.Context(), u.ID, s.person.Name)
	if errors.Is(err, knowledge.ErrOutdated) || errors.Is(err, knowledge.ErrProblems) {
		if s, err = p.scope(g, s.person); err != nil { // the revision moved meanwhile
			return err
		}
		return p.preview(g, s, u, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	p.o.Published()
	return see(g, s.at(fmt.Sprintf("/history?done=%d", revision)))
}

// setAbsent says what becomes of published entries that the file lacks.
func (p *Portal) setAbsent(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	reading := u.Reading
	reading.Absent = knowledge.AbsentStay
	if absent := knowledge.Absent(g.PostForm("absent")); absent == knowledge.AbsentRetired || absent == knowledge.AbsentGone {
		reading.Absent = absent
	}
	return p.seeAgain(g, s, u, reading, "")
}

// prepare is knowledge.PrepareChanges, with what the person is told of an error.
func (p *Portal) prepare(ctx context.Context, s scope, changes []knowledge.Change) error {
	err := knowledge.PrepareChanges(ctx, p.o.Prepare, changes)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &told{status: http.StatusServiceUnavailable, key: "unprepared", id: p.host.Note("publish", s.affiliate, err)}
}

// discard takes a draft off the list.
func (p *Portal) discard(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	if err := p.corpus.SetAside(g.Request.Context(), u.ID, true); err != nil {
		return err
	}
	return see(g, s.at("?discarded="+string(u.ID)))
}

// restore undoes discard.
func (p *Portal) restore(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	if err := p.corpus.SetAside(g.Request.Context(), u.ID, false); err != nil {
		return err
	}
	return see(g, s.at("/uploads/"+string(u.ID)))
}
