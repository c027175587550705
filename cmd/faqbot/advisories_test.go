package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What go.mod requires has no known advisory, and the check finds one.
func TestAdvisories(t *testing.T) {
	check := func(goMod string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "../../.ci/advisories", goMod).CombinedOutput()
		return string(out), err
	}
	out, err := check("../../go.mod")
	require.NoError(t, err, out)
	for version, found := range map[string]bool{"v0.59.0": true, "v0.9.0": true, "v0.59.1-0.20260101000000-abcdefabcdef": true, "v0.59.1": false, "v0.60.0": false, "v1.0.0": false} {
		goMod := filepath.Join(t.TempDir(), "go.mod")
		require.NoError(t, os.WriteFile(goMod, []byte("module x\n\nrequire (\n\tgithub.com/quic-go/quic-go "+version+" // indirect\n)\n"), 0o600))
		out, err := check(goMod)
		if found {
			require.Error(t, err, version)
			require.Contains(t, out, "github.com/quic-go/quic-go "+version+" has GO-2026-5676, mended in v0.59.1")
		} else {
			require.NoError(t, err, out)
		}
	}
}
