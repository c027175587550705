package faqfile

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"faqbot/knowledge"
)

// A File is one of several that are read as one FAQ.
type File struct {
	Name  string // what problems call it
	Kind  string // the ending that says how it is read; that of Name if ""
	Data  []byte
	Spare bool // that it is a page without questions is no problem of it
}

// A Joined is what several files say together.
type Joined struct {
	Rows     []knowledge.Row
	Problems []knowledge.Problem // each names its file; none is fatal
	Data     []byte              // a file that says the same, nil if there are no rows
}

// ParseAll reads files as one FAQ. A file that cannot be read is named, and costs none of the entries that are
// published. The errors are those of Parse, and of files.
func (p *Pool) ParseAll(ctx context.Context, files iter.Seq2[File, error], o Options) (Joined, error) {
	var all Joined
	var entries []knowledge.Entry
	var from, spare []string // the file of each entry; pages without questions
	for file, err := range files {
		if err != nil {
			return Joined{}, err
		}
		kind := file.Kind
		if kind == "" {
			kind = file.Name
		}
		rows, problems, err := p.Parse(ctx, kind, file.Data, o)
		if err != nil {
			return Joined{}, err
		}
		if file.Spare && len(rows) == 0 && len(problems) == 1 && problems[0].Text == noFAQ {
			spare = append(spare, file.Name)
			continue
		}
		for _, problem := range problems {
			all.Problems = append(all.Problems, problemOf(file.Name, problem))
		}
		for _, r := range rows {
			entries, from = append(entries, r.Entry), append(from, file.Name)
		}
	}
	if len(spare) > 0 {
		all.Problems = append(all.Problems, knowledge.Problem{Text: "No questions were found on " + someOf(spare) + "."})
	}
	if len(entries) == 0 {
		return all, nil
	}
	var err error
	if all.Data, err = JSONLines(entries); err != nil {
		return Joined{}, err
	}
	rows, problems, err := p.Parse(ctx, "all.jsonl", all.Data, o) // what two files say differently is found here
	if err != nil {
		return Joined{}, err
	}
	for _, problem := range problems {
		if 0 < problem.Line && problem.Line <= len(from) {
			problem.Text = from[problem.Line-1] + ": " + problem.Text
		}
		all.Problems = append(all.Problems, problem)
	}
	all.Rows = rows
	return all, nil
}

// problemOf returns a file's problem as one of the whole. Its row is none of the whole's, so it is mended in the file.
func problemOf(file string, p knowledge.Problem) knowledge.Problem {
	p.Text, p.Line = file+": "+p.Text, max(p.Line, 1)
	p.Fatal, p.Row, p.Lost, p.Given = false, 0, false, nil
	return p
}

// someOf names the first of a list, and how many more there are.
func someOf(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:shown], ", ") + " and " + strconv.Itoa(len(names)-shown) + " more"
}
