package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/eval/subject"
	"faqbot/eval/suite"
)

// A timed subject sums what its engine takes; one worker asks it.
type timed struct {
	subject.Subject
	took time.Duration
}

type timedDialogue struct {
	subject.Dialogue
	of *timed
}

func (s *timed) Open(c suite.Case) subject.Dialogue { return timedDialogue{s.Subject.Open(c), s} }

func (d timedDialogue) Say(ctx context.Context, t suite.Turn) (subject.Reply, error) {
	began := time.Now()
	r, err := d.Dialogue.Say(ctx, t)
	d.of.took += time.Since(began)
	return r, err
}

// BenchmarkSuite measures what a suite costs over the engine's turns: the 5,500 queries of clinc150, one worker, all of the
// report's figures. FAQBOT_DATA is the folder of the sets.
func BenchmarkSuite(b *testing.B) {
	data := os.Getenv("FAQBOT_DATA")
	if data == "" {
		b.Skip("FAQBOT_DATA is not set")
	}
	run, _, err := engineRun(b.Context(), suiteArgs{Suite: filepath.Join(data, "clinc150"), FAQ: filepath.Join(data, "clinc150", "faq.k10.jsonl")})
	require.NoError(b, err)
	engine := &timed{Subject: run.Subject}
	run.Subject, run.Workers = engine, 1
	var whole time.Duration
	for b.Loop() {
		began := time.Now()
		_, err := run.Do(b.Context())
		require.NoError(b, err)
		whole += time.Since(began)
	}
	b.ReportMetric(100*float64(whole-engine.took)/float64(engine.took), "%-over-the-engine")
	b.ReportMetric(engine.took.Seconds()/float64(b.N)/float64(len(run.Suite.Cases))*1e6, "µs/turn")
}
