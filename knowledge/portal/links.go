package portal

import (
	"faqbot/knowledge"
	"faqbot/knowledge/deadlinks"
	"faqbot/knowledge/lint"
)

// Links know which links are dead; *deadlinks.Checker is one.
type Links interface {
	// Dead returns the dead ones as far as they are known, and whether all are.
	Dead(links []string) (dead map[string]deadlinks.Reason, done bool)
}

// deadLinks are the findings about links that lead nowhere, as far as they are known; done says that all are. Nothing
// waits for it.
func (p *Portal) deadLinks(entries []knowledge.Entry) (found []lint.Finding, done bool) {
	if p.o.Links == nil {
		return nil, true
	}
	var all []string
	for _, e := range entries {
		all = append(all, lint.Links(e)...)
	}
	dead, done := p.o.Links.Dead(all)
	for _, e := range entries {
		for _, link := range lint.Links(e) {
			if why := dead[link]; why != deadlinks.Alive && len(found) < lint.Most {
				found = append(found, lint.Finding{Kind: lint.DeadLink, Entry: e.ID, Words: link, Why: string(why)})
			}
		}
	}
	return found, done
}

// why says why a link is dead, "" of other findings.
func (s scope) why(f lint.Finding) string {
	if f.Why == "" {
		return ""
	}
	return s.One("dead_link_", f.Why)
}
