package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJournalNotesWhatMustNotBeLogged(t *testing.T) {
	j, err := newJournal(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.file.Close()) })

	require.Equal(t, "127.0.0.1:99", j.take(`{"level":"info","msg":"serving","listen":"127.0.0.1:99"}`+"\n", true).Listen)
	j.take(`{"level":"info","msg":"cut o`, false) // by a kill
	j.take(`{"level":"warning","msg":"send failed","error":"lost"}`+"\n", true)
	j.take(`{"level":"warning","msg":"send failed","error":"lost"}`+"\n", true)
	require.Empty(t, j.leaks)
	require.Empty(t, j.odd)
	require.Equal(t, []string{"2 × warning: send failed: lost"}, j.trouble(5))

	j.take(`{"level":"info","msg":"turn","text":"hello from `+canary+`"}`+"\n", true)
	j.take(`{"level":"error","msg":"call","url":"/bot`+accountToken+`/getMe"}`+"\n", true)
	j.take("panic: runtime error\n", true)
	j.take(`{"level":"error","msg":"panic: in a handler"}`+"\n", true)
	require.Equal(t, []string{`info "turn"`, `error "call"`}, j.leaks)
	require.Len(t, j.odd, 2)
}
