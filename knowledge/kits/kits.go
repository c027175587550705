// Package kits holds entries to begin with, for kinds of business that many affiliates have, in the languages that the
// service speaks. An answer has blanks, such as {email}: what only the affiliate can say. Whoever begins with a kit fills
// them in, and an answer with a blank that stayed empty is left out: no customer ever reads one.
//
// Beside each kit is a suite of questions, see suites. Both were written for this.
package kits

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"faqbot/knowledge/locale"
)

//go:embed files/*.csv
var files embed.FS

// ErrUnknown means that there is no such kit, or not in the language.
var ErrUnknown = errors.New("there is no such kit")

// Names lists the kits.
func Names() []string {
	return []string{"affiliate-programme", "coupon-site", "newsletter", "course-seller", "small-shop"}
}

// A Kit is one kit in one language.
type Kit struct {
	Name, Locale string
	Blanks       []Blank    // in the order in which answers have them
	rows         [][]string // of a table, the header first
}

// A Blank is what only the affiliate can say.
type Blank struct {
	Name    string // "email"
	Example string // in the kit's language
	Answers int    // how many answers have it
}

// answerColumn is where answers stand in a kit's table.
const answerColumn = 2

// Open returns a kit in one of locale.Shipped. The error may be ErrUnknown.
func Open(name, in string) (Kit, error) {
	column := slices.Index(locale.Shipped(), in)
	if !slices.Contains(Names(), name) || column < 0 {
		return Kit{}, ErrUnknown
	}
	k := Kit{Name: name, Locale: in}
	var err error
	if k.rows, err = read(name + "." + in); err != nil {
		return k, err
	}
	examples, err := read("examples")
	if err != nil {
		return k, err
	}
	for _, row := range k.rows[1:] {
		for _, blank := range blanks(row[answerColumn]) {
			i := slices.IndexFunc(k.Blanks, func(b Blank) bool { return b.Name == blank })
			if i < 0 {
				i = len(k.Blanks)
				k.Blanks = append(k.Blanks, Blank{Name: blank})
			}
			k.Blanks[i].Answers++
		}
	}
	for i, b := range k.Blanks {
		for _, row := range examples {
			if row[0] == b.Name {
				k.Blanks[i].Example = row[1+column]
			}
		}
	}
	return k, nil
}

func read(name string) ([][]string, error) {
	data, err := files.ReadFile("files/" + name + ".csv")
	if err != nil {
		return nil, fmt.Errorf("read the kit %s: %w", name, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the kit %s: %w", name, err)
	}
	return rows, nil
}

// blanks are those of an answer, each once.
func blanks(answer string) (list []string) {
	for _, m := range regexp.MustCompile(`\{([a-z_]+)\}`).FindAllStringSubmatch(answer, -1) {
		if !slices.Contains(list, m[1]) {
			list = append(list, m[1])
		}
	}
	return list
}

// Entries is how many entries the kit has.
func (k Kit) Entries() int { return len(k.rows) - 1 }

// Fill returns the kit as a CSV file of entries, with values in the place of blanks. An entry with a blank that has no
// value is not in it.
func (k Kit) Fill(values map[string]string) (file []byte, err error) {
	var pairs []string
	for name, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			pairs = append(pairs, "{"+name+"}", value)
		}
	}
	fill := strings.NewReplacer(pairs...)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range k.rows {
		if slices.ContainsFunc(blanks(row[answerColumn]), func(name string) bool { return strings.TrimSpace(values[name]) == "" }) {
			continue
		}
		row = slices.Clone(row)
		row[answerColumn] = fill.Replace(row[answerColumn])
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("fill in the kit %s: %w", k.Name, err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
