package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be faqbot, for scripts and for the end-to-end tests' processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"faqbot": main})
}

// The commands as a person types them: testdata/script/*.txtar. A script's folder "site" is a web site at $SITE.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(env *testscript.Env) error {
		site := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(env.WorkDir, "site"))))
		env.Defer(site.Close)
		env.Setenv("SITE", site.Listener.Addr().String())
		return nil
	}})
}
