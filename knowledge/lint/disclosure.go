package lint

import (
	"net/url"
	"slices"
	"strings"

	"faqbot/knowledge"
)

// undisclosed is the first affiliate link of an answer that says nothing of it, "" if there is none.
func undisclosed(e knowledge.Entry) string {
	if discloses(e.Answer) {
		return ""
	}
	for _, link := range Links(e) {
		if isAffiliateLink(link) {
			return link
		}
	}
	return ""
}

// discloses reports whether a text says that a link pays: in the words that the authorities for advertising ask for.
func discloses(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc([]string{"affiliate", "commission", "sponsored", "advertis", "#ad", "paid link", "we earn", "afiliad", "comisi", "patrocin", "publicidad", "comissão", "anúncio", "anuncio"},
		func(word string) bool { return strings.Contains(text, word) })
}

// isAffiliateLink reports whether a link names who is paid for it: by an affiliate network's host, or by a parameter that
// merchants' programmes use.
func isAffiliateLink(link string) bool {
	u, err := url.Parse(link)
	if err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	within := func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }
	if slices.ContainsFunc([]string{"amzn.to", "awin1.com", "shareasale.com", "shrsl.com", "linksynergy.com", "anrdoezrs.net", "jdoqocy.com", "dpbolvw.net", "kqzyfj.com", "tkqlhce.com", "hop.clickbank.net",
		"skimresources.com", "prf.hn", "pxf.io", "sjv.io", "digistore24.com", "tradedoubler.com", "go.hotmart.com", "s.click.aliexpress.com", "webmasterplan.com", "rstyle.me", "partnerize.com"}, within) {
		return true
	}
	query := u.Query()
	if strings.HasPrefix(host, "amazon.") && query.Has("tag") {
		return true
	}
	return slices.ContainsFunc([]string{"aff", "affid", "aff_id", "affiliate", "affiliate_id", "affiliateid", "awinaffid", "irclickid", "refid", "ref_id", "referral", "partner_id", "partnerid", "a_aid", "hop"}, query.Has)
}
