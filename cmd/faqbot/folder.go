package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
)

// maxFolderFiles is how many files of a folder are read.
const maxFolderFiles = 5_000

// readFolder reads a folder of FAQ files as one FAQ.
func readFolder(ctx context.Context, dir string, o faqfile.Options) (faqfile.Joined, error) {
	names, err := faqFiles(dir)
	if err != nil {
		return faqfile.Joined{}, fmt.Errorf("read the folder: %w", err)
	}
	all, err := newFilePool().ParseAll(ctx, func(yield func(faqfile.File, error) bool) {
		for _, name := range names {
			data, err := readFile(filepath.Join(dir, name))
			if !yield(faqfile.File{Name: name, Data: data}, err) {
				return
			}
		}
	}, o)
	if err != nil {
		return faqfile.Joined{}, fmt.Errorf("read the folder: %w", err)
	}
	if len(all.Rows) == 0 {
		all.Problems = append(all.Problems, knowledge.Problem{Fatal: true, Text: "No file of the folder has entries. Make each question a heading with its answer below."})
	}
	return all, nil
}

// faqFiles lists the files of a folder that may hold entries, in order. Hidden files and folders are left out.
func faqFiles(dir string) (files []string, err error) {
	kinds := []string{".md", ".markdown", ".mdx", ".rst", ".xml", ".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".ndjson", ".yml", ".yaml", ".docx", ".html", ".htm", ".txt"}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(name, "."), d.IsDir() && name == "node_modules":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir(), !d.Type().IsRegular(), !slices.Contains(kinds, strings.ToLower(filepath.Ext(name))):
			return nil
		case len(files) == maxFolderFiles:
			return fmt.Errorf("%s has more than %d files: import a folder inside it", dir, maxFolderFiles)
		}
		relative, err := filepath.Rel(dir, path)
		files = append(files, relative)
		return err
	})
	return files, err
}

// exportCommand writes what an affiliate has published as files that import reads back as it was.
type exportCommand struct {
	Path      string `arg:"" help:"A file that ends in .csv, .xlsx, .tsv, .json or .jsonl, or a folder, which gets a Markdown file for each entry." type:"path"`
	Affiliate string `required:"" help:"Whose FAQ it is." placeholder:"NAME"`
	Revision  int    `help:"An earlier revision. The published one if not given." placeholder:"N"`
}

func (cmd exportCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	extension := strings.ToLower(filepath.Ext(cmd.Path))
	format := slices.IndexFunc(faqfile.Formats(), func(f faqfile.Format) bool { return f.Extension == extension })
	if info, err := os.Stat(cmd.Path); format < 0 && extension != "" && (err != nil || !info.IsDir()) {
		return fmt.Errorf("%s: use .csv, .xlsx, .tsv, .json or .jsonl, or the name of a folder", filepath.Base(cmd.Path))
	}
	var entries []knowledge.Entry
	if err := withDB(ctx, cli, func(_ config, db *sqldb.DB) (err error) {
		corpus := knowledge.NewCorpus(db, time.Now)
		if cmd.Revision > 0 {
			entries, err = corpus.At(ctx, knowledge.AffiliateID(cmd.Affiliate), knowledge.Revision(cmd.Revision))
		} else {
			entries, _, err = corpus.Published(ctx, knowledge.AffiliateID(cmd.Affiliate))
		}
		return err
	}); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if len(entries) == 0 {
		return fmt.Errorf("%s has published nothing", cmd.Affiliate)
	}
	if format < 0 {
		return cmd.writeFolder(entries, term)
	}
	data, err := faqfile.Formats()[format].Write(entries)
	if err == nil {
		err = os.WriteFile(cmd.Path, data, 0o644) // it is published
	}
	if err != nil {
		return fmt.Errorf("write the FAQ: %w", err)
	}
	fmt.Fprintf(term.out, "%d entries written to %s.\n", len(entries), cmd.Path)
	return nil
}

// writeFolder writes a file for each entry, and removes those of entries that are no longer published. Other files
// are left alone.
func (cmd exportCommand) writeFolder(entries []knowledge.Entry, term terminal) error {
	if err := os.MkdirAll(cmd.Path, 0o755); err != nil { // it is published
		return fmt.Errorf("write the FAQ: %w", err)
	}
	written := map[string]bool{}
	for _, e := range entries {
		name := fileName(e, written)
		written[name] = true
		data, err := faqfile.EntryFile(e)
		if err == nil {
			err = os.WriteFile(filepath.Join(cmd.Path, name), data, 0o644) // it is published
		}
		if err != nil {
			return fmt.Errorf("write the FAQ: %w", err)
		}
	}
	old, err := filepath.Glob(filepath.Join(cmd.Path, "*.md"))
	if err != nil {
		return fmt.Errorf("look for files of earlier entries: %w", err)
	}
	removed := 0
	for _, path := range old {
		if written[filepath.Base(path)] {
			continue
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() > limits.MaxFile {
			continue
		}
		if data, err := os.ReadFile(path); err == nil && faqfile.IsEntryFile(data) {
			err = os.Remove(path)
			removed++
			if err != nil {
				return fmt.Errorf("remove the file of an entry that is no longer published: %w", err)
			}
		}
	}
	fmt.Fprintf(term.out, "%d entries written to %s, a file each; %d files of earlier entries removed.\n", len(entries), cmd.Path, removed)
	return nil
}

// fileName is what the file of an entry is called: its ID or its question, in letters that every system takes.
func fileName(e knowledge.Entry, taken map[string]bool) string {
	const longest = 80
	var b strings.Builder
	name := e.Key
	if name == "" {
		name = e.Question
	}
	for _, r := range strings.ToLower(name) {
		switch {
		case b.Len() >= longest:
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = "entry"
	}
	if e.Locale != "" {
		base += "." + strings.ToLower(e.Locale)
	}
	for n := 1; ; n++ {
		file := base + ".md"
		if n > 1 {
			file = fmt.Sprintf("%s-%d.md", base, n)
		}
		if !taken[file] {
			return file
		}
	}
}
