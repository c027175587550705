package eval

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"faqbot/knowledge/language"
)

// A Confusion counts texts by the language that they are in and the one that was told; "" stands for none.
type Confusion map[string]map[string]int

func (c Confusion) add(is, told string) {
	if c[is] == nil {
		c[is] = map[string]int{}
	}
	c[is][told]++
}

// languagesTold checks how well the language of a message is told: of whole queries, and of their first three words, or
// eight characters in languages without spaces.
func (r *Report) languagesTold(data string) error {
	const name, words, characters = "xsid", 3, 8
	set, err := ReadSet(name, filepath.Join(data, name, "faq.jsonl"), filepath.Join(data, name, "queries.jsonl"))
	if err != nil {
		return err
	}
	detector, err := language.New()
	if err != nil {
		return err
	}
	r.Languages = Confusion{}
	whole, begun := make([]bool, len(set.Cases)), make([]bool, len(set.Cases))
	for i, c := range set.Cases {
		list := strings.Fields(c.Text)
		first := strings.Join(list[:min(words, len(list))], " ")
		if c.Lang == "zh" || c.Lang == "ja" {
			letters := []rune(strings.Join(list, ""))
			first = string(letters[:min(characters, len(letters))])
		}
		told := detector.Of(c.Text)
		r.Languages.add(c.Lang, told)
		whole[i], begun[i] = told == c.Lang, detector.Of(first) == c.Lang
	}
	for _, one := range []struct {
		target Target
		right  []bool
	}{{Target{"language", .95, .97}, whole}, {Target{"language of 3 words", .85, .92}, begun}} {
		share := func(weights []int) float64 {
			right, all := 0, 0
			for i, is := range one.right {
				w := 1
				if weights != nil {
					w = weights[i]
				}
				if all += w; is {
					right += w
				}
			}
			return ratio(float64(right), float64(all))
		}
		m := Measured{one.target.Figure, share(nil), bootstrap(len(whole), nil, share)}
		r.Checks = append(r.Checks, checkTarget(name, m, one.target, false))
	}
	return nil
}

// print shows a row for each language, and what was told where it is not that.
func (c Confusion) print(w io.Writer) {
	if len(c) == 0 {
		return
	}
	fmt.Fprintf(w, "language\ttexts\ttold\tmistaken for\n")
	for _, is := range slices.Sorted(maps.Keys(c)) {
		all := 0
		var others []string
		for _, told := range slices.Sorted(maps.Keys(c[is])) {
			if all += c[is][told]; told != is {
				others = append(others, fmt.Sprintf("%s %d", cmp.Or(told, "none"), c[is][told]))
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", is, all, three(ratio(float64(c[is][is]), float64(all))), strings.Join(others, ", "))
	}
	fmt.Fprintln(w)
}
