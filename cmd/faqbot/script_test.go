package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be faqbot, for scripts and for the end-to-end tests' processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"faqbot": main})
}

// The commands as a person types them: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
