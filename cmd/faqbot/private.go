package main

import (
	"os"
	"runtime"
	"strings"

	"faqbot/knowledge/sqldb"
)

// looseFiles are the files with data or secrets that others on this machine than their owner may read or write.
func looseFiles(c config) (list []string) {
	if runtime.GOOS == "windows" { // it has no such modes
		return nil
	}
	files := sqldb.Files(string(c.Database.DSN))
	if key := c.keyFile(); !strings.HasPrefix(key, "env:") {
		files = append(files, key)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
			list = append(list, file)
		}
	}
	return list
}

// looseWords says what to do about loose files, "" if there are none.
func looseWords(c config) string {
	list := looseFiles(c)
	if len(list) == 0 {
		return ""
	}
	for i, file := range list {
		list[i] = shellQuote(file)
	}
	return "other users of this machine may read or change what is here; run: chmod 600 " + strings.Join(list, " ")
}

// shellQuote quotes a path for a shell if it must be.
func shellQuote(path string) string {
	if !strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+", r)
	}) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
