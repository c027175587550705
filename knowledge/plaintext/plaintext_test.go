package plaintext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		"<p>By <b>card</b> or&nbsp;bank.</p><ul><li>Visa</li><li>AT&amp;T</li></ul>":                          "By card or bank.\n\n- Visa\n- AT&T",
		"<ol><li>one<ul><li>in it</li></ul></li><li>two</li></ol>":                                            "1. one\n  - in it\n2. two",
		"Read <a href='https://x.example/a?b=1&amp;c'>this</a>, <a href='/in'>that</a>.":                      "Read this (https://x.example/a?b=1&c), that.",
		"<a href=\"mailto:a@b.example\">a@b.example</a> <a href='javascript:x()'>click</a>":                   "a@b.example click",
		"<SCRIPT>track()</SCRIPT>a<style>.x{}</style><!-- note -->b":                                          "ab",
		"<table><tr><th>Plan</th><th>Price</th></tr><tr><td>S</td><td>5</td></tr><tr><td>L</td></tr></table>": "S – Price: 5\nL",
		"<table><tr><td>Bronze</td><td>monthly</td></tr></table>":                                             "Bronze – monthly",
		"3 < 5, <name> and a<b": "3 < 5, <name> and a<b",
		"a<br>b<br/><br>c":      "a\nb\nc",
		"<pre>a\n  b</pre>":     "a\n  b",
		"<center>old <small>page</small></center><table><tr><td><h2>Head</h2>text<hr></td></tr></table>": "old page\n\nHead\n\ntext",
		"<p>one<p>two":                    "one\n\ntwo",
		"</div>x</p>":                     "x",
		"<div>a</div>\n\n<div>b\nc</div>": "a\nb c",
	} {
		text, _, ok := HTML(html)
		require.True(t, ok)
		assert.Equal(t, want, text, html)
	}
	_, pictures, _ := HTML(`<img src="https://x.example/a.png"><img src="/b.png"><img src="data:x" data-src="https://x.example/c.png">`)
	assert.Equal(t, []string{"https://x.example/a.png", "https://x.example/c.png"}, pictures)
	_, _, ok := HTML(strings.Repeat("<b>", limits.MaxTags+1))
	assert.False(t, ok)
}

func TestLooksAndEntities(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"<b>a</b>", "a<br>b", "x </P>", "<img src=a>"} {
		assert.True(t, Looks(s), s)
	}
	for _, s := range []string{"3 < 5 > 2", "<name>", "a <b and c", "&amp;", "if x<y then"} {
		assert.False(t, Looks(s), s)
	}
	for s, want := range map[string]string{"Tom &amp; Jerry": "Tom & Jerry", "&euro;5 &#8211; &#x2014;": "€5 – —", "a & b; c": "a & b; c", "&copy": "&copy", "AT&T;": "AT&T;", "&": "&", "?a=1&lt=2": "?a=1&lt=2"} {
		assert.Equal(t, want, Entities(s), s)
	}
}

// Text between stray end tags, and formatting left open, cost no more than their bytes.
func TestTreeIsNoLargerThanItsText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("a</i>", 10_000), strings.Repeat("<b a=1>", 500) + strings.Repeat("<p>a", 10_000)} {
		root, ok := Parse(s, limits.MaxTags)
		require.True(t, ok)
		nodes, deepest := 0, 0
		var walk func(n *Node, depth int)
		walk = func(n *Node, depth int) {
			nodes++
			deepest = max(deepest, depth)
			for _, c := range n.Children {
				walk(c, depth+1)
			}
		}
		walk(root, 0)
		assert.LessOrEqual(t, nodes, len(s)/2)
		assert.LessOrEqual(t, deepest, maxDepth+1)
	}
}
