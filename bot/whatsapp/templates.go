package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/graphapi"
)

const (
	// templatesFor is how long the list of templates is believed.
	templatesFor = 10 * time.Minute
	// templatePages bounds the list, at 100 a page; an account may have 6,000.
	templatePages = 60
)

type templateOut struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []componentOut `json:"components,omitempty"`
}

type componentOut struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type string `json:"type"`
	Name string `json:"parameter_name,omitempty"` // only if the template's variables have names
	Text string `json:"text"`
}

func templateOf(f bot.Filled) *templateOut {
	t := &templateOut{Name: f.Name}
	t.Language.Code = f.Language
	var list []parameter
	for _, v := range f.Values {
		p := parameter{Type: "text", Text: v.Text}
		if strings.Trim(v.Variable, "0123456789") != "" {
			p.Name = v.Variable
		}
		list = append(list, p)
	}
	if len(list) > 0 {
		t.Components = []componentOut{{Type: "body", Parameters: list}}
	}
	return t
}

// A templateIn is a template as the business account lists it.
type templateIn struct {
	Name       string `json:"name"`
	Language   string `json:"language"`
	Category   string `json:"category"`
	Status     string `json:"status"`
	Components []struct {
		Type    string `json:"type"`
		Format  string `json:"format"`
		Text    string `json:"text"`
		Buttons []struct {
			URL string `json:"url"`
		} `json:"buttons"`
	} `json:"components"`
}

// Templates lists the business account's templates, at most ten minutes old.
func (c *Channel) Templates(ctx context.Context) ([]bot.Template, error) {
	c.mu.Lock()
	list, fresh := c.templates, time.Since(c.read) < templatesFor && !c.read.IsZero()
	c.mu.Unlock()
	if fresh || c.business == "" {
		return slices.Clone(list), nil
	}
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	list, err := c.readTemplates(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the WhatsApp templates: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.templates, c.read = list, time.Now()
	return slices.Clone(list), nil
}

func (c *Channel) readTemplates(ctx context.Context) (list []bot.Template, err error) {
	query := url.Values{"fields": {"name,language,category,status,components"}, "limit": {"100"}}
	for range templatePages {
		var page struct {
			Data   []templateIn `json:"data"`
			Paging struct {
				Next    string `json:"next"`
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
			} `json:"paging"`
		}
		if err := c.api.Call(ctx, http.MethodGet, c.business+"/message_templates", query, nil, &page); err != nil {
			return nil, err
		}
		for _, t := range page.Data {
			list = append(list, t.template())
		}
		if page.Paging.Next == "" || page.Paging.Cursors.After == "" {
			return list, nil
		}
		query.Set("after", page.Paging.Cursors.After)
	}
	return list, nil
}

// template is t as we can use it: its body may have variables, its head and buttons may not.
func (t templateIn) template() bot.Template {
	o := bot.Template{Name: t.Name, Language: t.Language, Category: t.Category}
	if t.Status != "APPROVED" {
		o.Problem = "WhatsApp has not approved it: " + strings.ToLower(t.Status)
	}
	o.Marketing = t.Category == "MARKETING"
	if t.Category == "AUTHENTICATION" {
		o.Problem = "it is for one-time codes"
	}
	variable := regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)
	for _, part := range t.Components {
		switch strings.ToUpper(part.Type) {
		case "BODY":
			o.Text = variable.ReplaceAllString(part.Text, "{{$1}}")
			for _, m := range variable.FindAllStringSubmatch(part.Text, -1) {
				if !slices.Contains(o.Variables, m[1]) {
					o.Variables = append(o.Variables, m[1])
				}
			}
			slices.SortStableFunc(o.Variables, func(a, b string) int { return ordinal(a) - ordinal(b) })
		case "HEADER":
			if part.Format != "TEXT" || variable.MatchString(part.Text) {
				o.Problem = "its head needs a file or a variable"
			}
		case "BUTTONS":
			for _, b := range part.Buttons {
				if variable.MatchString(b.URL) {
					o.Problem = "one of its buttons needs a variable"
				}
			}
		}
	}
	return o
}

// ordinal is the place of a numbered variable among the values; named ones stay as they appear.
func ordinal(variable string) int {
	n, err := strconv.Atoi(variable)
	if err != nil {
		return 0
	}
	return n
}
