package faqfile

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"faqbot/knowledge/limits"
)

// executable is this program, also when its file was replaced by a newer one.
func executable() string { return "/proc/self/exe" }

// bind makes cmd end with this process.
func bind(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// confineSystem has the kernel end what this process itself does not notice in time, and lets answers to
// customers go first. A limit that cannot be set leaves the others.
func confineSystem() {
	const lowPriority = 10 // of 19
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowPriority)
	seconds := uint64(limits.MaxProcessing.Seconds())
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds})
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	if mapped, ok := mappedData(); ok {
		const slack = 4 // the heap is mapped in pieces of 64 MiB, and not all of it is used
		most := mapped + slack*limits.MaxMemory
		_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
	}
}

// mappedData is how many bytes of data this process has mapped.
func mappedData() (uint64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, after, ok := strings.Cut(string(status), "\nVmData:")
	if !ok {
		return 0, false
	}
	kB, err := strconv.ParseUint(strings.Fields(after)[0], 10, 64)
	return kB << 10, err == nil
}
