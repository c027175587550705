package runs

import (
	"context"
	"errors"
	"fmt"

	"faqbot/eval/measure"
	"faqbot/knowledge/guard"
)

const (
	previewsKept    = 100
	previewsWaiting = 20
	previewCases    = 500    // asked of an upload, the newest
	previewWordings = 10_000 // of an upload that is asked: the encoder reads 1,000 of them a second
)

// Broken is what an upload would do to cases.
type Broken struct {
	Cases []measure.Change // that pass now and would fail
	Asked int              // 0 if nothing was asked: there are no cases, or too many entries
}

// A preview is how cases fare with an upload.
type preview struct {
	key string
	of  Candidate

	done   bool
	broken Broken
}

// Broken says which cases an upload would break, once it is known. It is found out in the background, once for an upload
// and the cases as they are.
func (r *Runner) Broken(ctx context.Context, c Candidate) (b Broken, done bool, err error) {
	n := 0
	for _, e := range c.Entries {
		n += 1 + len(e.Variants)
	}
	list, err := r.store.List(ctx, c.Affiliate)
	if err != nil || len(list) == 0 || n > previewWordings {
		return Broken{}, true, err
	}
	s, err := SuiteOf(c.Affiliate, list)
	if err != nil {
		return Broken{}, true, err
	}
	key := fmt.Sprintf("%s %s", c.Upload, s.Digest())
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.kept[key]; p != nil {
		return p.broken, p.done, nil
	}
	p := &preview{key: key, of: c}
	select {
	case r.previews <- p:
	default:
		return Broken{}, false, nil // it is asked again
	}
	if len(r.order) >= previewsKept {
		delete(r.kept, r.order[0])
		r.order = r.order[1:]
	}
	r.kept[key], r.order = p, append(r.order, key)
	return Broken{}, false, nil
}

// preview finds out what a preview is about. If the entries are still being read, it is tried when it is asked for again.
func (r *Runner) preview(ctx context.Context, p *preview) {
	var b Broken
	err := guard.Run(func() (err error) {
		b, err = r.compare(ctx, p.of)
		return err
	})
	again := errors.Is(err, ErrNotReady)
	if err != nil && !again && ctx.Err() == nil {
		guard.Log(r.o.Log.WithField("affiliate", string(p.of.Affiliate)), "test cases of an upload could not be asked", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p.of.Entries = nil
	p.done, p.broken = true, b
	if again {
		delete(r.kept, p.key)
	}
}

// compare asks cases of what is published and of what an upload would publish.
func (r *Runner) compare(ctx context.Context, c Candidate) (Broken, error) {
	list, err := r.store.List(ctx, c.Affiliate)
	if err != nil {
		return Broken{}, err
	}
	s, err := SuiteOf(c.Affiliate, list[max(0, len(list)-previewCases):])
	if err != nil {
		return Broken{}, err
	}
	published, err := r.o.Published(ctx, c.Affiliate)
	if err != nil {
		return Broken{}, err
	}
	candidate, err := r.o.Candidate(ctx, c)
	if err != nil {
		return Broken{}, err
	}
	before, err := r.ask(ctx, s, published, nil)
	if err != nil {
		return Broken{}, err
	}
	after, err := r.ask(ctx, s, candidate, nil)
	if err != nil {
		return Broken{}, err
	}
	return Broken{Cases: measure.BrokenCases(before, after), Asked: len(s.Cases)}, nil
}
