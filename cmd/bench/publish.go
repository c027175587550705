package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
)

const (
	liveWithin = 10 * time.Minute
	settled    = 5 * time.Second // after which a service that has nothing to do has given memory back
)

// publish measures what an affiliate waits for: from the start of the command that publishes the big
// corpus, of which nothing was embedded before, until the running service answers from it; then the
// same for a file in which one row has changed. onnxruntime only embeds the same texts, half of them
// before and half after.
func publish(ctx context.Context, b *bench) ([]row, error) {
	defer b.close()
	peer, err := b.quickerInBatches(ctx)
	if err != nil {
		return nil, err
	}
	rows := entries()
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.Wordings()...)
	}
	var before, after float64
	if err := peer.ask(request{Batch: texts[:len(texts)/2]}, &before); err != nil {
		return nil, err
	}
	s, err := b.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	cold, err := s.publish(ctx, rows, len(rows)-1)
	if err != nil {
		return nil, err
	}
	if err := peer.ask(request{Batch: texts[len(texts)/2:]}, &after); err != nil {
		return nil, err
	}
	var edits []float64
	for i := range 5 {
		edited := 1000 * i
		rows[edited].Question = fmt.Sprintf("How do I polish zeppelin number %d?", i+1)
		rows[edited].Answer = fmt.Sprintf("With cloth number %d.", i+1)
		took, err := s.publish(ctx, rows, edited)
		if err != nil {
			return nil, err
		}
		edits = append(edits, took)
	}
	time.Sleep(settled)
	size, err := resident(s.process)
	if err != nil {
		return nil, err
	}
	theirs, edit := before+after, median(edits)
	return []row{
		{"publish 10,000 entries × 3 from cold until live, against onnxruntime's encode alone", fmt.Sprintf("%.1f s", cold), fmt.Sprintf("%.1f s", theirs), cold / theirs, "×", .8},
		{"publish one changed row of them until live", fmt.Sprintf("%.2f s", edit), "", edit, "s", 2},
		{"memory with 10,000 entries × 3 after that", fmt.Sprintf("%.0f MB", size), "", size, "MB", 350},
	}, nil
}

// quickerInBatches is the graph that onnxruntime embeds batches with sooner, on two threads.
func (b *bench) quickerInBatches(ctx context.Context) (*peer, error) {
	var sample []string
	for _, r := range entries()[:300] {
		sample = append(sample, r.Wordings()...)
	}
	var best *peer
	least := 0.
	for _, graph := range []string{"int8", b.path("model", "model.onnx")} {
		p, err := b.onnxruntime(ctx, graph, 2)
		if err != nil {
			return nil, err
		}
		var seconds float64
		for range 2 { // the first warms up
			if err := p.ask(request{Batch: sample}, &seconds); err != nil {
				return nil, err
			}
		}
		if best == nil || seconds < least {
			best, least = p, seconds
		}
	}
	return best, nil
}

// A served is the real binary at work, on a database of its own.
type served struct {
	binary, dir, address, key string
	process                   *exec.Cmd
}

// serve starts the service without an entry, and makes a key to ask it with.
func (b *bench) serve(ctx context.Context) (*served, error) {
	s := &served{binary: b.path("faqbot"), dir: b.path("service")}
	if err := errors.Join(os.RemoveAll(s.dir), os.MkdirAll(s.dir, 0o755)); err != nil {
		return nil, err
	}
	var err error
	if s.address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	database := filepath.Join(s.dir, "faqbot.db")
	config := fmt.Sprintf("[server]\nlisten = %q\n[database]\ndsn = %q\n", s.address, database)
	if err := os.WriteFile(s.config(), []byte(config), 0o644); err != nil {
		return nil, err
	}
	if err := b.command(ctx, s.dir, s.binary, "migrate", "--config", s.config()); err != nil {
		return nil, err
	}
	if s.key, err = newKey(ctx, database); err != nil {
		return nil, err
	}
	s.process = exec.CommandContext(ctx, s.binary, "serve", "--config", s.config())
	return s, s.process.Start()
}

func (s *served) config() string { return filepath.Join(s.dir, "faqbot.toml") }

// freeAddress is one that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func newKey(ctx context.Context, database string) (key string, err error) {
	db, err := sqldb.Open(ctx, database)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := knowledge.NewCorpus(db, time.Now).EnsureAffiliate(ctx, affiliate); err != nil {
		return "", err
	}
	key, _, err = people.NewDirectory(db, people.Options{}).AddKey(ctx, people.Operator, affiliate, "bench")
	return key, err
}

func (s *served) stop() {
	_ = s.process.Process.Signal(os.Interrupt)
	_ = s.process.Wait() // what it did has been seen
}

// publish publishes rows as people do, and returns the seconds until row number at is answered from.
func (s *served) publish(ctx context.Context, rows []knowledge.Row, at int) (float64, error) {
	var file bytes.Buffer
	lines := json.NewEncoder(&file)
	for _, r := range rows {
		if err := lines.Encode(map[string]any{"key": r.Key, "locale": r.Locale, "question": r.Question, "variants": r.Variants, "answer": r.Answer}); err != nil {
			return 0, err
		}
	}
	path := filepath.Join(s.dir, "faq.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		return 0, err
	}
	start := time.Now()
	out, err := exec.CommandContext(ctx, s.binary, "import", path, "--affiliate", string(affiliate), "--publish", "--config", s.config()).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("import: %w\n%s", err, out)
	}
	for time.Since(start) < liveWithin {
		if answer, err := s.ask(ctx, rows[at].Question); err != nil {
			return 0, err
		} else if answer == rows[at].Answer {
			return time.Since(start).Seconds(), nil
		}
		time.Sleep(60 * time.Millisecond) // the service takes 20 questions a second
	}
	return 0, fmt.Errorf("not live within %s", liveWithin)
}

// ask returns the answer to a question, "" if there is none yet.
func (s *served) ask(ctx context.Context, text string) (string, error) {
	body, err := json.Marshal(map[string]string{"text": text, "lang": "en"})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/api/ask", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return "", err
	}
	if res.StatusCode == http.StatusServiceUnavailable { // it has only just started
		return "", nil
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask: %s: %s", res.Status, raw)
	}
	var answer struct{ Replies []string }
	err = json.Unmarshal(raw, &answer)
	return strings.Join(answer.Replies, "\n"), err
}
