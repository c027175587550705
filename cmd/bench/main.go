// Bench compares faqbot's speed and memory with what else there is: onnxruntime, hugot, chromem's own
// search, and reading memory. The contestants take turns within one run, so that whatever else the
// machine does falls on all of them; the table shows medians and their ratios. Exit status 1 means
// that a target was missed.
//
//	go run ./cmd/bench -dir bin/bench [-only encode,search]
//
// The peers are installed into -dir by pip and go, and never into this module. What is measured of
// ours is the product: its packages, or its binary. It is not for profiling: the packages have
// benchmarks of their own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// A row is one line of the table.
type row struct {
	work         string
	ours, theirs string
	value        float64 // what target bounds
	unit         string  // of value and target: "×", "s", "MB"
	target       float64
}

func (r row) met() bool { return r.value <= r.target }

// A section measures some rows.
type section struct {
	name string
	run  func(context.Context, *bench) ([]row, error)
}

func sections() []section {
	return []section{{"encode", encode}, {"search", search}, {"decision", decision}, {"publish", publish}, {"memory", demoMemory}}
}

// errMissed has been told by the table.
var errMissed = errors.New("a target was missed")

func main() {
	if len(os.Args) == 2 && os.Args[1] == encoderWorker {
		if err := serveEncoder(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	dir := flag.String("dir", "bin/bench", "folder for the peers and what they need; kept from run to run")
	rounds := flag.Int("rounds", 30, "how often the contestants take turns")
	only := flag.String("only", "", "sections to run, divided by commas: encode, search, decision, publish, memory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *dir, *rounds, *only)
	stop()
	switch {
	case errors.Is(err, errMissed):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, dir string, rounds int, only string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	chosen := sections()
	if only != "" {
		names := strings.Split(only, ",")
		chosen = slices.DeleteFunc(chosen, func(s section) bool { return !slices.Contains(names, s.name) })
		if len(chosen) != len(names) {
			return fmt.Errorf("-only %s: the sections are encode, search, decision, publish and memory", only)
		}
	}
	b := &bench{dir: dir, rounds: rounds}
	if err := b.install(ctx); err != nil {
		return err
	}
	defer b.close()
	var rows []row
	for _, s := range chosen {
		fmt.Fprintf(os.Stderr, "bench: %s (load %s)\n", s.name, load())
		found, err := s.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, found...)
	}
	return show(rows)
}

// show prints the table.
func show(rows []row) error {
	fmt.Fprintf(os.Stdout, "\n%s, %d cores, load %s, %s\n\n", processor(), runtime.NumCPU(), load(), runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "work\tours\ttheirs\tvalue\ttarget\t")
	met := true
	for _, r := range rows {
		verdict := "met"
		if !r.met() {
			verdict, met = "MISSED", false
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.3g %s\t≤ %.3g %s\t%s\n", r.work, r.ours, r.theirs, r.value, r.unit, r.target, r.unit, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !met {
		return errMissed
	}
	return nil
}

// processor names the CPU and those of its features that kernels are chosen by.
func processor() string {
	name, flags := runtime.GOARCH, ""
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil { // not Linux
		return name
	}
	for line := range strings.Lines(string(raw)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "flags":
			flags = value
		}
	}
	for _, f := range []string{"avx2", "avx512f", "avx512_vnni", "avx_vnni"} {
		if slices.Contains(strings.Fields(flags), f) {
			name += " " + f
		}
	}
	return name
}

// load is how many programs have wanted a core during the last minute.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}
