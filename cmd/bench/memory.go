package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// demoMemory measures what the demo holds at rest after its very first start, which publishes.
func demoMemory(ctx context.Context, b *bench) ([]row, error) {
	cmd := exec.CommandContext(ctx, b.path("faqbot"), "demo", "--fresh", "--data", b.path("demo.db"), "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "The demo is at") {
	}
	time.Sleep(settled)
	size, err := resident(cmd)
	if err != nil {
		return nil, err
	}
	return []row{{"memory of the demo at rest", fmt.Sprintf("%.0f MB", size), "", size, "MB", 120}}, nil
}

// resident is what a process holds of the machine's memory, in MB (10⁶ bytes), the parts of its file
// that are read in included.
func resident(cmd *exec.Cmd) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kilobytes) * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", cmd.Process.Pid)
}
