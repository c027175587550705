package webchat

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/knowledge/brand"
)

// Network is the chat on a page as the service knows it. The widget is ours: there is nobody to call or to be called
// by, and so no webhook.
func Network() network.Network {
	return network.Network{
		Name: "webchat", Label: "Web chat", Icon: "web", Limits: new(Channel).Limits(), Needs: "Two minutes and one line of HTML on your page.",
		Guide: Setup, GuidePath: "bot/webchat/SETUP.md", SettingsSection: "1-the-account",
		Fields: []network.Field{
			{Name: "id", Label: "Your name for it", Must: true, Hint: "Part of the chat's address, for example “shop”. Letters, digits and . _ ~ : @ -"},
			network.AffiliatesField(),
			{Name: "name", Label: "Title", Hint: "At the top of the chat. Empty means your name for it."},
			{Name: "welcome", Label: "Welcome", Rows: 2, Hint: "The first words. Empty means a greeting of ours, in the visitor's language."},
			{Name: "suggested", Label: "Suggested questions", Rows: 3, Hint: "One a line, at most 5. Empty means the first of your FAQ."},
			{Name: "color", Label: "Colour", Type: "color"},
			{Name: "position", Label: "Position", Options: [][2]string{{"", "Bottom right; left in languages read from the right"}, {"right", "Bottom right"}, {"left", "Bottom left"}}},
			{Name: "origins", Label: "Sites that may show it", Rows: 2, Hint: "One a line: https://shop.example or https://*.shop.example. Empty means this site alone."},
			network.LocaleField()},
		Fill: func(s *network.Settings, _ bool) { s.Mode = network.ModePoll }, Complete: complete,
		Open: func(s network.Settings, _ network.Options) (bot.Channel, error) {
			return New(s.Account(), Options{Name: s.Name, Origins: s.Origins, IdentitySecret: string(s.Secret), Welcome: s.Welcome,
				Color: s.Color, Position: s.Position, Suggested: s.Suggested})
		},
		Run: func(ctx context.Context, c bot.Channel, _ network.Settings, _ network.RunOptions) error {
			<-ctx.Done()
			c.(*Channel).hub.Close() // streams end, and widgets come back to the account as it is then
			return ctx.Err()
		},
		OnPages: &network.OnPages{Tag: tag, Find: find},
	}
}

const (
	maxSuggested = 5
	maxWelcome   = 500 // characters
)

func complete(s *network.Settings) error {
	s.Mode = network.ModePoll // nobody posts to us
	switch {
	case s.ID == "assets" || s.ID == "widget.js":
		return network.Wrong("id", "the account cannot be called %q: that is an address of the widget's own", s.ID)
	case brand.CheckColor(s.Color) != nil:
		return network.Wrong("color", "%q is not a colour like #0f766e", s.Color)
	case s.Position != "" && s.Position != "left" && s.Position != "right":
		return network.Wrong("position", "%q is neither left nor right", s.Position)
	case len(s.Suggested) > maxSuggested:
		return network.Wrong("suggested", "at most %d questions can be suggested", maxSuggested)
	case len([]rune(s.Welcome)) > maxWelcome:
		return network.Wrong("welcome", "at most %d characters are possible", maxWelcome)
	}
	for i, origin := range s.Origins {
		if err := checkOrigin(origin); err != nil {
			return network.Wrong("origins", "origins, number %d: %v", i+1, err)
		}
	}
	return nil
}

// Check finds nothing wrong: the widget is ours.
func (c *Channel) Check(context.Context, string) bot.AccountHealth {
	return bot.AccountHealth{Name: c.o.Name}
}

// tag is the line of HTML that a page of home's account needs.
func tag(s network.Settings, home string) string {
	return fmt.Sprintf(`<script src="%s/chat/%s/widget.js" async></script>`, home, url.PathEscape(s.ID))
}

// find looks for the tag of an account in a page, and says whether the page may show the chat.
func find(s network.Settings, home, address string, source []byte) (f network.Finding) {
	base, err := url.Parse(home)
	page, err2 := url.Parse(address)
	if err != nil || err2 != nil {
		return f
	}
	for _, attributes := range scripts(source) {
		src, err := page.Parse(attributes["src"])
		if err != nil || !strings.HasPrefix(src.Path, "/chat/") || !strings.HasSuffix(src.Path, "/widget.js") {
			continue
		}
		own := strings.TrimSuffix(strings.TrimPrefix(src.Path, "/chat/"), "/widget.js")
		switch s.ID {
		case own, attributes["data-account"], src.Query().Get("account"):
			f.Tag = src.Host == base.Host
			f.Elsewhere = !f.Tag
		default:
			f.Other = true
		}
		if f.Tag {
			break
		}
	}
	f.Manager = strings.Contains(string(source), "googletagmanager.com/gtm.js")
	f.Origin = page.Scheme + "://" + page.Host
	f.Allowed = f.Origin == base.Scheme+"://"+base.Host || mayEmbed(s.Origins, page)
	return f
}

// scripts are the attributes of each script tag that a browser would run: none that is commented out.
func scripts(source []byte) (list []map[string]string) {
	z := html.NewTokenizer(bytes.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return list
		}
		if t := z.Token(); t.Data == "script" && (kind == html.StartTagToken || kind == html.SelfClosingTagToken) {
			attributes := map[string]string{}
			for _, a := range t.Attr {
				attributes[a.Key] = a.Val
			}
			list = append(list, attributes)
		}
	}
}

// mayEmbed reports whether a page is on one of the sites that may show the chat, as browsers read a frame-ancestors
// policy.
func mayEmbed(origins []string, page *url.URL) bool {
	for _, origin := range origins {
		site, err := url.Parse(origin)
		if err != nil || site.Scheme != page.Scheme {
			continue
		}
		host, below := strings.CutPrefix(site.Host, "*.")
		if !below && site.Host == page.Host || below && strings.HasSuffix(page.Host, "."+host) {
			return true
		}
	}
	return false
}
