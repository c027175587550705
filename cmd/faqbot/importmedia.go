package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"faqbot/knowledge"
	"faqbot/knowledge/media"
)

// findMedia reads the files that rows name, relative to the folder of the file of entries, and keeps them.
// What is not there may have been sent before. What cannot be taken is told as problems.
func findMedia(ctx context.Context, corpus *knowledge.Corpus, store *media.Store, affiliate knowledge.AffiliateID, folder string,
	rows []knowledge.Row) (problems []knowledge.Problem, err error) {
	root, err := os.OpenRoot(folder) // no name leads out of it
	if err != nil {
		return nil, fmt.Errorf("look for the files of entries: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	read := map[string]knowledge.Media{}
	for i, r := range rows {
		var list []knowledge.Media
		for _, m := range r.Media {
			if m.Link == "" && m.File == "" {
				kept, err := keepFile(ctx, store, affiliate, root, m.Name, read)
				switch {
				case errors.Is(err, media.ErrTooLarge), errors.Is(err, media.ErrType), errors.Is(err, media.ErrQuota), errors.Is(err, media.ErrDisk):
					problems = append(problems, knowledge.Problem{Line: r.Line, Field: "media", Key: r.Key, Text: fmt.Sprintf("%s: %v. The entry goes without it.", m.Name, err)})
					continue
				case err == nil:
					m = kept
				case !errors.Is(err, fs.ErrNotExist):
					return nil, fmt.Errorf("read %s of line %d: %w", m.Name, r.Line, err)
				}
			}
			list = append(list, m)
		}
		rows[i].Media = list
	}
	var fresh []knowledge.Media
	for _, m := range read {
		fresh = append(fresh, m)
	}
	if err := corpus.AddFiles(ctx, affiliate, fresh); err != nil {
		return nil, err
	}
	files, err := corpus.Files(ctx, affiliate)
	if err != nil {
		return nil, err
	}
	return append(problems, knowledge.FindFiles(rows, files)...), nil
}

// keepFile keeps a file, once. read remembers what was kept.
func keepFile(ctx context.Context, store *media.Store, affiliate knowledge.AffiliateID, root *os.Root, name string, read map[string]knowledge.Media) (m knowledge.Media, err error) {
	if m, ok := read[name]; ok {
		return m, nil
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return m, err
	}
	b, err := store.Put(ctx, filepath.Base(name), f, media.Owner{Affiliate: string(affiliate)})
	if err := errors.Join(err, f.Close()); err != nil {
		return m, err
	}
	m = knowledge.Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}
	read[name] = m
	return m, nil
}
