package eval

import (
	"math/rand/v2"
	"slices"

	"faqbot/knowledge"
)

// A benchmark is a public set with targets.
type benchmark struct {
	name, folder, faq, queries string
	targets                    []Target
	byEntry                    bool  // the queries of one entry are paraphrases of each other
	components                 bool  // the whole is compared with each component
	talk                       bool  // false splits, changes of topic and pairs are noted
	draw                       *plan // asked of a draw of the entries; nil: of all
}

// benchmarks are the sets that quality is measured on.
func benchmarks() []benchmark {
	const faq, k5, k10, clean, typo = "faq.jsonl", "faq.k5.jsonl", "faq.k10.jsonl", "queries.jsonl", "queries.typo.jsonl"
	return []benchmark{
		{name: "banking77 k10", folder: "banking77", faq: k10, queries: clean, talk: true, targets: []Target{{"acc", .875, .890}}},
		{name: "banking77 k5", folder: "banking77", faq: k5, queries: clean, targets: []Target{{"acc", .830, .850}}},
		{name: "clinc150 k10", folder: "clinc150", faq: k10, queries: clean, targets: []Target{{"acc", .910, .925}, {"AUROC", .965, .972}}},
		{name: "hwu64 k10", folder: "hwu64", faq: k10, queries: clean, targets: []Target{{"acc", .835, .850}}},
		{name: "hwu64 k5", folder: "hwu64", faq: k5, queries: clean, targets: []Target{{"acc", .790, .810}}},
		{name: "hint3_sofmattress", folder: "hint3_sofmattress", faq: faq, queries: clean, talk: true,
			targets: []Target{{"acc", .820, .850}, {"AUROC", .890, .920}, {"AURC", .205, .180}, jointTargets()["hint3_sofmattress"]}},
		{name: "banking77_oos", folder: "banking77_oos", faq: faq, queries: clean, components: true, targets: []Target{jointTargets()["banking77_oos"]}},
		{name: "clinc_oos_banking", folder: "clinc_oos_banking", faq: faq, queries: clean, components: true},
		{name: "clinc_oos_credit_cards", folder: "clinc_oos_credit_cards", faq: faq, queries: clean, components: true},
		{name: "stackfaq", folder: "stackfaq", faq: faq, queries: clean, talk: true, byEntry: true, targets: []Target{{"acc", .945, .960}, {"r@3", .997, 1}}},
		{name: "covidfaq_jhu", folder: "covidfaq_jhu", faq: faq, queries: clean, talk: true, targets: []Target{{"acc", .640, .740}, {"r@3", .910, .940}}},
		{name: "verdea_es", folder: "verdea_es", faq: faq, queries: clean, targets: []Target{{"acc", .75, .85}, {"joint", .60, .80}}},
		{name: "casinha_pt", folder: "casinha_pt", faq: faq, queries: clean, targets: []Target{{"acc", .75, .85}, {"joint", .58, .80}}},
		{name: "xsid", folder: "xsid", faq: faq, queries: clean, targets: []Target{{"acc", .79, .84}}},
		{name: "courses", folder: "dialogue", faq: "courses.csv", queries: "courses.queries.jsonl", targets: []Target{{"acc", .75, .80}, {figureReached, .84, .90}}},
		{name: "siblings, first", folder: "siblings", faq: "faq.csv", queries: clean, targets: siblingTargets()},
		{name: "siblings, second", folder: "siblings", faq: "faq2.csv", queries: "queries2.jsonl", targets: siblingTargets()},
		{name: "siblings, own", folder: "siblings_own", faq: "faq.csv", queries: clean, targets: []Target{{figureOveranswered, .20, .10}, {figureReached, .97, 1}}},
		{name: "banking77 k10" + typing, folder: "banking77", faq: k10, queries: typo, targets: []Target{{"acc", .80, .84}}},
		{name: "clinc150 k10" + typing, folder: "clinc150", faq: k10, queries: typo, targets: []Target{{"acc", .83, .88}}},
		{name: "stackfaq" + typing, folder: "stackfaq", faq: faq, queries: typo, byEntry: true, targets: []Target{{"acc", .90, .93}}},
	}
}

// jointTargets are those of the joint accuracy, which depends on the probability alone.
func jointTargets() map[string]Target {
	return map[string]Target{"hint3_sofmattress": {"joint", .72, .77}, "banking77_oos": {"joint", .79, .84}}
}

// siblingTargets are those of sets in which most questions are about another member of a kind than the entry.
func siblingTargets() []Target {
	return []Target{{figureOveranswered, .15, .05}, {figureReached, 1, 1}}
}

// At the end of a benchmark's name.
const (
	typing     = " typo" // the same questions with 8 % of their letters wrong
	oneWording = " 1w"   // one wording of each entry, drawn at random
	leftOut    = " lo"   // 30 % of the entries left out at random, so that nothing answers their questions
)

// maxOfVariant is how many questions of a variant are asked.
const maxOfVariant = 600

// variants are benchmarks as affiliates have them: with one wording of each entry, or with questions that
// no entry answers.
func variants() (list []benchmark) {
	for _, v := range []struct {
		suffix string
		plan
		sets []string
	}{
		{oneWording, plan{keep: 1}, []string{"banking77 k10", "clinc150 k10", "hwu64 k10", "hint3_sofmattress"}},
		{leftOut, plan{left: [2]float64{.3, .3}}, []string{"banking77 k10", "clinc150 k10", "hint3_sofmattress", "stackfaq", "covidfaq_jhu"}},
	} {
		for _, b := range benchmarks() {
			if slices.Contains(v.sets, b.name) {
				list = append(list, benchmark{name: b.name + v.suffix, folder: b.folder, faq: b.faq, queries: b.queries, byEntry: b.byEntry, draw: &v.plan})
			}
		}
	}
	return list
}

// variant is s asked of a draw of its entries. The same set gives the same variant.
func (s Set) variant(p plan) Set {
	random := rand.New(rand.NewPCG(hash(s.Name), seed))
	drawn := s.without(random, p)
	present := make(map[knowledge.EntryID]bool, len(drawn.Entries))
	for _, e := range drawn.Entries {
		present[e.ID] = true
	}
	drawn.Cases = nil
	for _, i := range random.Perm(len(s.Cases))[:min(len(s.Cases), maxOfVariant)] {
		c := s.Cases[i]
		c.Relevant = slices.DeleteFunc(slices.Clone(c.Relevant), func(id knowledge.EntryID) bool { return !present[id] })
		drawn.Cases = append(drawn.Cases, c)
	}
	return drawn
}
