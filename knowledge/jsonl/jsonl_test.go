package jsonl_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/jsonl"
)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	read := func(text string) (list []int, err error) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		err = jsonl.Read(path, func(line, row int) error {
			if row < 0 {
				return errors.New("below zero")
			}
			list = append(list, 10*line+row)
			return nil
		})
		return list, err
	}
	list, err := read("\xEF\xBB\xBF1\r\n\n 2 \n3")
	require.NoError(t, err)
	require.Equal(t, []int{11, 32, 43}, list)
	_, err = read("1\n{")
	require.ErrorContains(t, err, "rows.jsonl, line 2: unexpected end")
	_, err = read("1\n\n-1")
	require.ErrorContains(t, err, "line 3: below zero")
	_, err = read("1\n" + strings.Repeat("1", 5<<20))
	require.ErrorContains(t, err, "line 2: the row is longer than 4 MiB")
	require.ErrorIs(t, jsonl.Read(path+"x", func(int, int) error { return nil }), fs.ErrNotExist)
}
