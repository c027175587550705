package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"faqbot/eval/measure"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
)

// A journal keeps the finished cases of a run in the database: some at a time, so that customers' messages are not
// stored between two of them each time. A run has one worker.
type journal struct {
	store    *cases.Store
	run      cases.Run
	revision knowledge.Revision
	of       map[string]string // conversations by case
	total    int

	waiting []cases.Result
	savedAt time.Time
}

var _ measure.Journal = (*journal)(nil)

const (
	savedTogether = 20 // results
	savedEvery    = time.Second
)

// Begin reads what the run has asked before.
func (j *journal) Begin(ctx context.Context, of string) (map[string]measure.Finished, error) {
	list, err := j.store.Begin(ctx, j.run, of, j.revision, j.total)
	if err != nil {
		return nil, err
	}
	known := map[string]measure.Finished{}
	for _, one := range list {
		var f measure.Finished
		if err := json.Unmarshal([]byte(one.Body), &f); err != nil {
			return nil, fmt.Errorf("read a result: %w", err)
		}
		known[one.Case] = f
	}
	return known, nil
}

// Add keeps a finished case.
func (j *journal) Add(ctx context.Context, one measure.Finished) error {
	body, err := json.Marshal(one)
	if err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	j.waiting = append(j.waiting, cases.Result{Case: one.Row.ID, Conversation: j.of[one.Row.ID], Body: string(body)})
	if len(j.waiting) < savedTogether && time.Since(j.savedAt) < savedEvery {
		return nil
	}
	return j.save(ctx)
}

// save stores what waits, and ends the run if somebody canceled it.
func (j *journal) save(ctx context.Context) error {
	on, err := j.store.Save(context.WithoutCancel(ctx), j.run.ID, j.waiting)
	if err != nil {
		return err
	}
	j.waiting, j.savedAt = nil, time.Now()
	if !on {
		return errCanceled
	}
	return nil
}

// Close stores the rest.
func (j *journal) Close(ctx context.Context) error {
	if len(j.waiting) == 0 {
		return nil
	}
	return j.save(ctx)
}
