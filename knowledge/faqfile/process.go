package faqfile

import (
	"io"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"faqbot/knowledge/limits"
)

// confine bounds this process to what one file may take.
func confine() {
	debug.SetMemoryLimit(limits.MaxMemory / 4 * 3) // the garbage collector works harder from here on
	go watchMemory()
	confineSystem()
}

// watchMemory ends the process when it holds more memory than it may.
func watchMemory() {
	const every = 5 * time.Millisecond // in which a core fills some 10 MB
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	for range time.Tick(every) {
		metrics.Read(held)
		if held[0].Value.Uint64()-held[1].Value.Uint64() > limits.MaxMemory {
			os.Exit(exitMemory)
		}
	}
}

// endWith ends the process when in does.
func endWith(in io.Reader) {
	_, _ = io.Copy(io.Discard, in)
	os.Exit(exitAlone)
}

// exitAlone is the exit code of a reader that nobody waits for.
const exitAlone = 4
