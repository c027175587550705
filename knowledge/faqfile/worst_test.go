package faqfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"strings"
)

// A hostile input costs its reader more than any other of its size that we know.
type hostile struct {
	reader, what string
	name         string // of the file
	make         func(size int) []byte
}

// fill repeats s up to size bytes, behind head and before tail.
func fill(head, s, tail string) func(int) []byte {
	return func(size int) []byte {
		n := max(1, (size-len(head)-len(tail))/len(s))
		return []byte(head + strings.Repeat(s, n) + tail)
	}
}

// each writes one line for every number up to size bytes.
func each(head, line, tail string) func(int) []byte {
	return func(size int) []byte {
		var b bytes.Buffer
		b.WriteString(head)
		for i := 0; b.Len()+len(line)+len(tail) < size; i++ {
			b.WriteString(strings.ReplaceAll(line, "%", fmt.Sprint(i)))
		}
		b.WriteString(tail)
		return b.Bytes()
	}
}

// hostiles are the worst inputs known, by reader.
func hostiles() []hostile {
	deep := func(size int) []byte {
		n := size / 2
		return []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
	}
	return []hostile{
		{"csv", "nothing but commas", "a.csv", fill("question,answer\n", ",", "")},
		{"csv", "a header of commas, again and again", "a.csv", fill("", strings.Repeat("question,", 200)+"answer\n", "")},
		{"csv", "rows of 400 short headers without an answer", "a.csv", fill("", strings.Repeat("Żą,", 399)+"x\n", "")},
		{"csv", "wordings of a letter", "a.csv", each("question,answer,variants\n", "q%?,a,"+strings.Repeat("a|b|c|d|e|f|g|h|i|j|", 10)+"\n", "")},
		{"csv", "distinct wordings", "a.csv", each("question,answer,variants\n", "q%?,a,"+manyWordings(200)+"\n", "")},
		{"csv", "quotes never closed", "a.csv", fill("question,answer\n", "\"a,b\n", "")},
		{"csv", "one cell of brackets", "a.csv", fill("question\tanswer\tvariants\nq\ta\t[", "[],", "[]]\n")},
		{"csv", "one cell of bars", "a.csv", fill("question,answer,media\nq,a,", "a://b|", "\n")},
		{"csv", "bad media in every row", "a.csv", each("question,answer,media\n", "q%?,a,"+manyWordings(60)+"\n", "")},
		{"csv", "a language of 5 MiB", "a.csv", fill("question,answer,locale\nq,a,", "en-", "\n")},
		{"csv", "a language of subtags in every row", "a.csv", each("question,answer,locale\n", "q%?,a,en-"+strings.Repeat("a-bb-", 40)+"\n", "")},
		{"csv", "combining marks", "a.csv", fill("question,answer\nq,a", "\u0315\u0300", "\n")},
		{"csv", "long bad dates", "a.csv", each("question,answer,from\n", "q%?,a,"+strings.Repeat("2026-01-01 ", 20)+"\n", "")},
		{"csv", "nothing but line ends", "a.csv", fill("question,answer\n", "\n", "")},
		{"csv", "tiny rows", "a.csv", each("question,answer\n", "%,a\n", "")},
		{"csv", "as many rows and cells as may be", "a.csv", each("question,answer\n", "%"+strings.Repeat(",a", 48)+"\n", strings.Repeat("\n", 1))},
		{"csv", "rows with all that can be wrong", "a.csv", each("question,answer,variants,media,topic\n", "q%?,a,b|c,a:|b:|c:|d:|e:|f:|g:|h:,"+strings.Repeat("t", 201)+"\n", "")},
		{"json", "nesting", "a.json", deep},
		{"json", "entries of as many fields as may be", "a.json", fill(`[{}`, `,{"question":"q","answer":"a"`+manyFields(900)+`}`, `]`)},
		{"json", "wordings up to the bound", "a.json", each(`[{}`, `,{"question":"q%","answer":"a","variants":[`+strings.Repeat(`"",`, 9000)+`""]}`, `]`)},
		{"json", "entries with all that can be wrong", "a.jsonl", each("", `{"question":"q%","answer":"a","media":"a:|b:|c:|d:|e:|f:|g:","topic":"`+strings.Repeat("t", 201)+`"}`+"\n", "")},
		{"json", "nesting inside an entry", "a.json", func(size int) []byte {
			return []byte(`[{"question":"q","answer":` + string(deep(size-40)) + `}]`)
		}},
		{"json", "one entry of many fields", "a.json", each(`[{"question":"q","answer":"a"`, `,"%":1`, `}]`)},
		{"json", "one name again and again", "a.json", fill(`[{"question":"q","answer":"a"`, `,"id":1`, `}]`)},
		{"json", "small values", "a.json", fill(`[1`, `,1`, `]`)},
		{"json", "small objects", "a.json", fill(`[{}`, `,{}`, `]`)},
		{"json", "small objects, one after the other", "a.json", fill(``, `{}`, ``)},
		{"json", "small lines", "a.jsonl", fill(`{"question":"q","answer":"a"}`+"\n", "{}\n", "")},
		{"json", "wordings that are lists", "a.json", fill(`[{"question":"q","answer":"a","variants":[[]`, `,[]`, `]}]`)},
		{"json", "wordings that are objects", "a.json", fill(`[{"question":"q","answer":"a","variants":[{}`, `,{"a":1}`, `]}]`)},
		{"json", "an answer of scripts", "a.json", fill(`{"mainEntity":[{"name":"q","acceptedAnswer":"`, `<script>`, `"}]}`)},
		{"json", "an answer of links", "a.json", fill(`{"mainEntity":[{"name":"q","acceptedAnswer":"`, `<a href='x'>`, `</a>"}]}`)},
		{"json", "lists in lists", "a.json", fill(`{"faq":[[[[[`, `[{"question":1}],`, `1]]]]]}`)},
		{"json", "containers in containers", "a.json", fill(``, `{"data":`, ``)},
		{"json", "fields nobody knows", "a.json", fill(`[{"question":"q","answer":"a","x":[[]`, `,[]`, `]}]`)},
		{"json", "nothing but line ends", "a.json", fill(`[{"question":"q","answer":"a"},`, "\n", `{}]`)},
		{"json", "dictionaries in dictionaries", "a.json", fill(``, `{"a":{"question":"q","b":`, ``)},
		{"json", "many names", "a.json", each(`{"a":1`, `,"%":{"q":"q","a":"a"}`, `}`)},
		{"json", "lists of texts", "a.json", fill(`[["q","a"]`, `,["q","a"]`, `]`)},
		{"json", "lists in objects in lists", "a.json", fill(``, `[{"a":`, ``)},
		{"json", "intents", "a.json", each(`{"responses":{"utter_1":[{"text":"a"}]},"nlu":[{}`, `,{"intent":"%","examples":"- [a](b)"}`, `]}`)},
		{"json", "comments", "a.json", fill(`[`, `/**/`, `]`)},
		{"json", "commas and quotes", "a.json5", fill(`[`, `{a:'b',},`, `]`)},
		{"json", "closing commas", "a.json5", fill(`[`, `[,],`, `]`)},
		{"yaml", "a list", "a.yml", fill("", "- a\n", "")},
		{"yaml", "nesting", "a.yml", fill("", "[", "")},
		{"yaml", "nesting by lines", "a.yml", fill("a: ", "- ", "a")},
		{"yaml", "aliases", "a.yml", fill("- &a [x,x,x,x,x,x,x,x,x,x]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n- &d [*c,*c,*c,*c,*c,*c,*c,*c]\n", "- [*d,*d,*d,*d]\n", "")},
		{"yaml", "names", "a.yml", each("", "k%: v\n", "")},
		{"yaml", "flow", "a.yml", fill("{", "a: {", "")},
		{"yaml", "quotes", "a.yml", fill("a: \"", "\\n", "\"")},
		{"yaml", "one long line", "a.yml", fill("a: ", "b ", "")},
		{"yaml", "question marks", "a.yml", fill("", "? ", "")},
		{"yaml", "tags", "a.yml", fill("a: ", "!a ", "b")},
		{"xml", "nesting", "a.xml", fill("<?xml?>", "<a>", "")},
		{"xml", "entries", "a.xml", each("<?xml?><f>", "<e><question>q%?</question><answer>a</answer></e>", "</f>")},
		{"xml", "names", "a.xml", each("<?xml?><f>", "<n%>a</n%>", "</f>")},
		{"xml", "attributes", "a.xml", fill("<?xml?><f ", "a='b' ", "/>")},
		{"xml", "text in pieces", "a.xml", fill("<?xml?><f>", "a<b/>", "</f>")},
		{"xml", "entities", "a.xml", fill("<?xml?><f>", "&amp;", "</f>")},
		{"xml", "comments", "a.xml", fill("<?xml?><f>", "<!---->", "</f>")},
		{"rst", "headings", "a.rst", each("", "q%?\n====\n\na\n\n", "")},
		{"rst", "rules", "a.rst", fill("", "====\n", "")},
		{"rst", "directives", "a.rst", fill("", ".. note:: a\n", "")},
		{"rst", "links", "a.rst", fill("q?\n==\n\n", "`a <b>`_ ", "")},
		{"rst", "open links", "a.rst", fill("q?\n==\n\n", "`a <b ", "")},
		{"rst", "roles", "a.rst", fill("q?\n==\n\n", ":a:`b` ", "")},
		{"module", "declarations", "a.js", each("", "export const a% = [];\n", "")},
		{"module", "declarations of nothing", "a.js", fill("", "const a = b;\n", "")},
		{"module", "JSX", "a.js", fill("export default [{question: 'q', answer: ", "<b>", "}]")},
		{"module", "elements", "a.js", fill("export default [", "{question: 'q', answer: <p>a</p>},", "]")},
		{"module", "texts joined", "a.js", fill("export default [{question: 'q', answer: ''", " + 'a'", "}]")},
		{"mdx", "components", "a.mdx", each("", "<Accordion title=\"q%?\">\n  a\n</Accordion>\n", "")},
		{"mdx", "open components", "a.mdx", fill("", "<Accordion title='q?'>\n", "")},
		{"mdx", "components that lead elsewhere", "a.mdx", fill("", "<Card href='x'>\n", "")},
		{"mdx", "comments", "a.mdx", fill("", "{/* */}", "")},
		{"mdx", "admonitions", "a.mdx", fill("", "!!! note \"q?\"\n    a\n", "")},
		{"mdx", "footnotes", "a.mdx", each("# q?\n", "a[^%]\n[^%]: b\n", "")},
		{"mdx", "summaries", "a.mdx", fill("", "<summary>\n\n", "")},
		{"page", "open tags", "a.html", fill("<html>", "<b>", "")},
		{"page", "stray end tags", "a.html", fill("<html>", "a</i>", "")},
		{"page", "links", "a.html", fill("<html>", "<a href=x>", "")},
		{"page", "paragraphs in formatting", "a.html", fill("<html>"+strings.Repeat("<b><i>", 200), "<p>a", "")},
		{"page", "tables", "a.html", fill("<html>", "<table><tr><td>", "")},
		{"page", "cells", "a.html", fill("<html><table><tr>", "<td>a", "")},
		{"page", "rows", "a.html", fill("<html><table>", "<tr><td>a<td>b", "")},
		{"page", "details", "a.html", fill("<html>", "<details><summary>q?</summary>a</details>", "")},
		{"page", "details in details", "a.html", fill("<html>", "<details><summary>q?</summary>a", "")},
		{"page", "terms", "a.html", fill("<html><dl>", "<dt>q?<dd>a", "")},
		{"page", "toggles of one target", "a.html", fill("<html><div id=x>a</div>", "<button aria-controls=x>q?</button>", "")},
		{"page", "questions by class", "a.html", fill("<html>", "<p class=question>q?</p>", "")},
		{"page", "answers by class", "a.html", fill("<html><div>", "<p class=question>q?</p><p class=answer>a</p>", "")},
		{"page", "headings", "a.html", fill("<html>", "<h2>q?</h2><p>a</p>", "")},
		{"page", "comments", "a.html", fill("<html>", "<!--", "")},
		{"page", "attributes", "a.html", fill("<html><p ", "a=b ", ">")},
		{"page", "scripts", "a.html", fill("<html>", "<script>", "")},
		{"page", "classes of chrome", "a.html", fill("<html>", "<div class='a nav-x b'>", "")},
		{"page", "JSON-LD", "a.html", fill("<html>", `<script type="application/ld+json">[{"@type":"Question","name":"q?","acceptedAnswer":"a"}]</script>`, "")},
		{"page", "words", "a.html", fill("<html><p>", "word ", "")},
		{"field", "HTML", "a.csv", each("question,answer\n", "q%?,<p>a<b>b</b><a href='https://x'>c</a>\n", "")},
		{"field", "open tags", "a.csv", each("question,answer\n", "q%?,</p>"+strings.Repeat("<b>", 30_000)+"\n", "")},
		{"field", "angle brackets", "a.csv", each("question,answer\n", "q%?,"+strings.Repeat("<a ", 30_000)+"\n", "")},
		{"field", "tables", "a.csv", each("question,answer\n", "q%?,"+strings.Repeat("<table><tr><td>a", 6_000)+"</td>\n", "")},
		{"field", "entities", "a.csv", each("question,answer\n", "q%?,"+strings.Repeat("&amp;", 18_000)+"\n", "")},
		{"field", "ampersands", "a.csv", each("question,answer\n", "q%?,"+strings.Repeat("&", 90_000)+";\n", "")},
		{"field", "Markdown", "a.csv", each("question,answer\n", "q%?,**a** [b](https://c) _d_\n", "")},
		{"field", "stars", "a.csv", each("question,answer\n", "q%?,**a** "+strings.Repeat("a**b_c*d__", 300)+"\n", "")},
		{"field", "brackets", "a.csv", each("question,answer\n", "q%?,[a](https://b) "+strings.Repeat("[", 3_000)+"\n", "")},
		{"field", `escapes`, "a.csv", each("question,answer\n", "q%?,"+strings.Repeat(`\n`, 40_000)+"\n", "")},
		{"field", "one question under many topics", "a.csv", each("question,answer,topic\n", "q?,a%,t%\n", "")},
		{"field", "sections", "a.csv", each("question,answer\n", "T%,\nq?,a%\n", "")},
		{"csv", "columns of languages", "a.csv", fill("", strings.Repeat("question_en,answer_en,", 190)+"x\n", "")},
		{"csv", "numbered columns", "a.csv", each("q1,a1,q2,a2,q3,a3,q4,a4,q5,a5\n", "%,a,%,a,%,a,%,a,%,a\n", "")},
		{"csv", "quotes inside of lines", "a.csv", fill("question,answer\n", "\"a\nb \"c,d\n", "")},
		{"text", "Cyrillic", "a.csv", fill("question,answer\nq?,", "\xca\xe0\xea ", "\n")},
		{"text", "Shift_JIS", "a.csv", fill("question,answer\nq?,", "\x82\xcd\x82\xa2", "\n")},
		{"text", "questions", "a.txt", each("", "How is %?\nSo.\n", "")},
		{"document", "paragraphs", "a.docx", documentOf(`<w:p><w:r><w:t>a</w:t></w:r></w:p>`, 200_000)},
		{"document", "questions", "a.docx", documentOf(`<w:p><w:r><w:b/><w:t>q?</w:t></w:r></w:p><w:p><w:r><w:t>a</w:t></w:r></w:p>`, 18_000)},
		{"document", "cells", "a.docx", documentOf(`<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>`, 150_000)},
		{"document", "tables in tables", "a.docx", documentOf(`<w:tbl><w:tr><w:tc>`, 400_000)},
		{"document", "one paragraph", "a.docx", documentOf(`<w:r><w:t>a</w:t><w:br/></w:r>`, 250_000)},
		{"document", "more than may be unpacked", "a.docx", documentOf(`<w:p/>`, 2_000_000)},
		{"markdown", "tables", "a.md", fill("# q?\n\n", "|a|b|\n|-|-|\n|c|d|\n\n", "")},
		{"markdown", "a wide table", "a.md", func(size int) []byte {
			return []byte("|" + strings.Repeat("a|", size/6) + "\n|" + strings.Repeat("-|", size/6) + "\n" + strings.Repeat("|\n", size/6))
		}},
		{"markdown", "tables of questions", "a.md", fill("", "|Question|Answer|\n|-|-|\n|c?|d|\n\n", "")},
		{"markdown", "bold questions", "a.md", each("", "**q%?**\n\na\n\n", "")},
		{"markdown", "list questions", "a.md", each("", "- q%?\n  - a\n", "")},
		{"markdown", "summaries", "a.md", each("", "<details><summary>q%?</summary>\n\na\n\n</details>\n\n", "")},
		{"markdown", "labels", "a.md", each("", "# Question %\nq%?\n# Answer %\na\n", "")},
		{"workbook", "links", "a.xlsx", sheetOf(`</sheetData><hyperlinks>`+strings.Repeat(`<hyperlink ref="A1" location="x"/>`, 300_000)+`</hyperlinks><sheetData>`, 1)},
		{"workbook", "formulas", "a.xlsx", sheetOf(`<row r="2"><c r="A2"><f>HYPERLINK("https://x","y")</f></c></row>`, 200_000)},
		{"workbook", "merged rows", "a.xlsx", sheetOf(strings.Repeat(`<row><c t="inlineStr"><is><t>q</t></is></c></row>`, 19_000)+`</sheetData><mergeCells>`+strings.Repeat(`<mergeCell ref="C1:C20000"/>`, 19_000)+`</mergeCells><sheetData>`, 1)},
		{"markdown", "#q and a", "a.md", fill("", "#q\na\n", "")},
		{"markdown", "# q and a", "a.md", each("", "# q%\na\n", "")},
		{"markdown", "open brackets", "a.md", fill("# q\n", "[", "")},
		{"markdown", "brackets", "a.md", fill("# q\n", "[]", "")},
		{"markdown", "closed brackets", "a.md", fill("# q\n", "[a](", "")},
		{"markdown", "pictures", "a.md", fill("# q\n", "![", "")},
		{"markdown", "stars", "a.md", fill("# q\n", "*a _b ", "")},
		{"markdown", "stars, deep", "a.md", fill("# q\n", "**a", "")},
		{"markdown", "stars, no words", "a.md", fill("# q\n", "a**b_c*d__", "")},
		{"markdown", "backticks", "a.md", each("# q\n", "`a``b```c````d`````e``````f", "")},
		{"markdown", "angle brackets", "a.md", fill("# q\n", "<a b='", "")},
		{"markdown", "comments", "a.md", fill("# q\n", "a<!--", "")},
		{"markdown", "instructions", "a.md", fill("# q\n", "a<?", "")},
		{"markdown", "declarations", "a.md", fill("# q\n", "a<!X", "")},
		{"markdown", "CDATA", "a.md", fill("# q\n", "a<![CDATA[", "")},
		{"markdown", "one long paragraph", "a.md", fill("# q\n", "word\n", "")},
		{"markdown", "link definitions", "a.md", each("# q\n", "[%]: x\n", "")},
		{"markdown", "links to definitions", "a.md", each("# q\n\n[a]: b\n\n", "[a] ", "")},
		{"markdown", "lists", "a.md", fill("# q\n", "- a\n", "")},
		{"markdown", "lists in lists", "a.md", fill("# q\n", strings.Repeat("- ", 49)+"a\n", "")},
		{"markdown", "deeper and deeper lists", "a.md", func(size int) []byte {
			var b bytes.Buffer
			b.WriteString("# q\n")
			for i := 0; b.Len() < size; i++ {
				b.WriteString(strings.Repeat("  ", i%200) + "- a\n")
			}
			return b.Bytes()[:size]
		}},
		{"markdown", "quotations", "a.md", fill("# q\n", strings.Repeat(">", 49)+"a\n", "")},
		{"markdown", "quotations and lists", "a.md", fill("# q\n", strings.Repeat("> - ", 12)+"a\n", "")},
		{"markdown", "code blocks", "a.md", fill("# q\n", "```\na\n", "")},
		{"markdown", "indented code", "a.md", fill("# q\n\n", "    a\n", "")},
		{"markdown", "HTML", "a.md", fill("# q\n", "<div>\n", "")},
		{"markdown", "scripts", "a.md", fill("# q\n<div>\n", "<script>", "\n")},
		{"markdown", "entities", "a.md", fill("# q\n", "&amp;", "")},
		{"markdown", "backslashes", "a.md", fill("# q\n", `\`, "")},
		{"markdown", "pairs", "a.md", each("", "Q: q%\nA: a\n", "")},
		{"markdown", "setext headings", "a.md", each("", "q%\n===\na\n", "")},
		{"markdown", "tabs", "a.md", fill("# q\n", "\t", "a")},
		{"markdown", "spaces and line ends", "a.md", fill("# q\n", " \n", "a")},
		{"markdown", "columns", "a.md", fill("", "| a | b\n", "")},
		{"markdown", "one line of headings", "a.md", fill("", "# ", "")},
		{"markdown", "links cut short, in one paragraph", "a.md", func(size int) []byte { return fill("# q\n", "[a](", "")(min(size, 44_000)) }},
		{"markdown", "links cut short, in paragraphs", "a.md", fill("# q\n", strings.Repeat("[a](", 90)+"\n\n", "")},
		{"markdown", "stars, in paragraphs", "a.md", fill("# q\n", strings.Repeat("a**b_c*d__", 60)+"\n\n", "")},
		{"markdown", "stars, in one paragraph", "a.md", func(size int) []byte { return fill("# q\n", "a**b_c*d__", "")(min(size, 40_000)) }},
		{"markdown", "brackets, in paragraphs", "a.md", fill("# q\n", strings.Repeat("[", 200)+"\n\n", "")},
		{"markdown", "lists below headings", "a.md", fill("", "# q\n"+strings.Repeat("- a\n", 24_000), "")},
		{"markdown", "nested lists below headings", "a.md", fill("", "# q\n"+strings.Repeat(strings.Repeat("- ", 49)+"a\n", 900), "")},
		{"markdown", "code below headings", "a.md", fill("", "# q\n"+strings.Repeat("    a\n", 40_000), "")},
		{"markdown", "headings and a definition for each", "a.md", each("", "# q%\n\n[%]: b\n\n"+strings.Repeat("a ", 500)+"\n\n", "")},
		{"markdown", "paragraphs of a letter", "a.md", fill("# q\n", "a\n\n", "")},
		{"text", "a letter", "a.txt", fill("", "word ", "")},
		{"text", "UTF-16", "a.csv", func(size int) []byte { return []byte("\xff\xfe" + strings.Repeat(",\x00", size/2)) }},
		{"text", "no UTF-8", "a.csv", fill("question,answer\nq,a", "\xff\xe9", "\n")},
		{"workbook", "a row number without end", "a.xlsx", sheetOf(`<row r="9223372036854775000"><c t="inlineStr"><is><t>q</t></is></c></row>`, 1)},
		{"workbook", "a row number without end, later", "a.xlsx", sheetOf(`<row r="1"><c r="A1"><v>1</v></c></row><row r="9223372036854775000"><c><v>1</v></c></row>`, 1)},
		{"workbook", "the last row there is", "a.xlsx", sheetOf(`<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`, 1)},
		{"workbook", "a shared string of 230 kB 20,000 times", "a.xlsx", func(int) []byte { return sharedWorkbook(1, 230_000, 20_000) }},
		{"workbook", "a shared string of 30 kB 20,000 times", "a.xlsx", func(int) []byte { return sharedWorkbook(1, 30_000, 20_000) }},
		{"workbook", "a row of one shared string", "a.xlsx", func(int) []byte { return sharedRow(30_000, 16_000) }},
		{"workbook", "far cells", "a.xlsx", sheetOf(`<row><c r="XFD1"><v>1</v></c></row>`, 20_000)},
		{"workbook", "as many sheets as may be", "a.xlsx", func(int) []byte { return sheetsOf(990) }},
		{"workbook", "as much text as may be", "a.xlsx", func(int) []byte { return sharedWorkbook(1, 800, 10_000) }},
		{"workbook", "as much text as may be, in a few cells", "a.xlsx", func(int) []byte { return sharedWorkbook(1, 99_000, 80) }},
		{"workbook", "merged cells", "a.xlsx", sheetOf(`</sheetData><mergeCells>`+strings.Repeat(`<mergeCell ref="A1:XFD1048576"/>`, 50_000)+`</mergeCells><sheetData>`, 1)},
	}
}

// longHostiles are further ones, which take longer to make than to read.
func longHostiles() []hostile {
	return []hostile{
		{"workbook", "empty cells", "a.xlsx", sheetOf(`<row>`+strings.Repeat(`<c/>`, 300)+`</row>`, 20_000)},
		{"workbook", "empty rows", "a.xlsx", sheetOf(`<row/>`, 3_000_000)},
		{"workbook", "empty shared strings", "a.xlsx", func(int) []byte { return stringsOf(`<si/>`, 5_000_000) }},
		{"workbook", "runs of a shared string", "a.xlsx", func(int) []byte { return stringsOf(`<si><r/><r/><r/><r/></si>`, 1_000_000) }},
		{"workbook", "styles", "a.xlsx", func(int) []byte { return stylesOf(`<xf/>`, 5_000_000) }},
		{"workbook", "sheets", "a.xlsx", func(int) []byte { return sheetsOf(500_000) }},
		{"workbook", "small parts", "a.xlsx", partsOf},
		{"workbook", "inline text", "a.xlsx", sheetOf(`<row><c t="inlineStr"><is><t>`+strings.Repeat("q", 60_000)+`</t></is></c></row>`, 1000)},
		{"workbook", "rich text", "a.xlsx", sheetOf(`<row><c t="inlineStr"><is>`+strings.Repeat("<r><t>q</t></r>", 1000)+`</is></c></row>`, 1000)},
		{"workbook", "attributes", "a.xlsx", sheetOf(`<row `+manyAttributes(10_000)+`><c><v>1</v></c></row>`, 100)},
		{"workbook", "nesting", "a.xlsx", sheetOf(strings.Repeat("<row>", 100_000), 30)},
		{"workbook", "a comment", "a.xlsx", sheetOf(`<!--`+strings.Repeat("a", 1<<20)+`-->`, 40)},
		{"workbook", "entities", "a.xlsx", sheetOf(`<row><c t="inlineStr"><is><t>`+strings.Repeat("&amp;", 10_000)+`</t></is></c></row>`, 500)},
		{"workbook", "as many cells as may be", "a.xlsx", sheetOf(`<row>`+strings.Repeat(`<c/>`, 49)+`<c><v>1</v></c></row>`, 19_000)},
		{"workbook", "as many shared texts as may be", "a.xlsx", func(int) []byte { return stringsOf(`<si/>`, 1_900_000) }},
		{"workbook", "as many runs as may be", "a.xlsx", func(int) []byte { return stringsOf(`<si><r/><r/><r/><r/></si>`, 390_000) }},
		{"workbook", "as many styles as may be", "a.xlsx", func(int) []byte { return stylesOf(`<xf/>`, 99_000) }},
		{"workbook", "formats as long as may be", "a.xlsx", func(int) []byte { return formatted(strings.Repeat(`"a"0`, 60), 110_000) }},
		{"workbook", "numbers of many digits", "a.xlsx", sheetOf(`<row><c><v>`+strings.Repeat("9", 90_000)+`</v></c></row>`, 150)},
		{"workbook", "as many attributes as may be", "a.xlsx", sheetOf(`<row `+manyAttributes(1000)+`><c><v>1</v></c></row>`, 1_500)},
		{"workbook", "as much as may be unpacked", "a.xlsx", sheetOf(`<!--`+strings.Repeat("a", 1<<20)+`-->`, 30)},
		{"workbook", "numbers with a format", "a.xlsx", sheetOf(`<row>`+strings.Repeat(`<c s="1"><v>46000.123456789</v></c>`, 40)+`</row>`, 20_000)},
	}
}

// documentOf is a text document of n times a piece.
func documentOf(piece string, n int) func(int) []byte {
	return func(int) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create("word/document.xml")
		_, _ = w.Write([]byte(xmlHead + `<w:document><w:body>` + strings.Repeat(piece, n) + `</w:body></w:document>`))
		_ = z.Close()
		return b.Bytes()
	}
}

func manyWordings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%c%c://|", 'a'+i%26, 'a'+i/26%26)
	}
	return b.String()
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":1`, i)
	}
	return b.String()
}

// formatted is a workbook of n numbers with a format of their own.
func formatted(format string, n int) []byte {
	return zipped(map[string]string{
		"xl/styles.xml": xmlHead + `<styleSheet ` + mainName + `><numFmts><numFmt numFmtId="200" formatCode="` + html.EscapeString(format) +
			`"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="200"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": sheetXML(strings.Repeat(`<row>`+strings.Repeat(`<c s="1"><v>1.5</v></c>`, 10)+`</row>`, n/10)),
	})
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `a%d="" `, i)
	}
	return b.String()
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	mainName = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
)

// zipped packs a workbook whose parts differ from the plainest by parts.
func zipped(parts map[string]string) []byte {
	all := map[string]string{
		"[Content_Types].xml": xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels":         xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":     xmlHead + `<workbook ` + mainName + `><sheets><sheet name="FAQ" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>` +
			`<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`,
		"xl/styles.xml":            xmlHead + `<styleSheet ` + mainName + `><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": xmlHead + `<worksheet ` + mainName + `><sheetData></sheetData></worksheet>`,
	}
	for name, text := range parts {
		all[name] = text
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range all {
		w, _ := z.Create(name)
		_, _ = w.Write([]byte(text))
	}
	_ = z.Close()
	return b.Bytes()
}

// sheetOf is a workbook with a header and n times rows.
func sheetOf(rows string, n int) func(int) []byte {
	return func(int) []byte {
		return zipped(map[string]string{"xl/worksheets/sheet1.xml": sheetXML(strings.Repeat(rows, n))})
	}
}

func sheetXML(rows string) string {
	head := ""
	if !strings.Contains(rows, `r="1"`) && !strings.Contains(rows, `</sheetData>`) {
		head = `<row><c t="inlineStr"><is><t>question</t></is></c><c t="inlineStr"><is><t>answer</t></is></c></row>`
	}
	return xmlHead + `<worksheet ` + mainName + `><sheetData>` + head + rows + `</sheetData></worksheet>`
}

// sharedWorkbook has a text of size bytes as question and answer of n rows.
func sharedWorkbook(texts, size, n int) []byte {
	si := strings.Repeat(`<si><t>`+strings.Repeat("word ", size/5)+`</t></si>`, texts)
	return zipped(map[string]string{
		"xl/sharedStrings.xml":     xmlHead + `<sst ` + mainName + `>` + si + `</sst>`,
		"xl/worksheets/sheet1.xml": sheetXML(strings.Repeat(`<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`, n)),
	})
}

func sharedRow(size, n int) []byte {
	return zipped(map[string]string{
		"xl/sharedStrings.xml":     xmlHead + `<sst ` + mainName + `><si><t>` + strings.Repeat("word ", size/5) + `</t></si></sst>`,
		"xl/worksheets/sheet1.xml": sheetXML(`<row>` + strings.Repeat(`<c t="s"><v>0</v></c>`, n) + `</row>`),
	})
}

func stringsOf(si string, n int) []byte {
	return zipped(map[string]string{
		"xl/sharedStrings.xml":     xmlHead + `<sst ` + mainName + `>` + strings.Repeat(si, n) + `</sst>`,
		"xl/worksheets/sheet1.xml": sheetXML(`<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`),
	})
}

func stylesOf(xf string, n int) []byte {
	return zipped(map[string]string{
		"xl/styles.xml":            xmlHead + `<styleSheet ` + mainName + `><cellXfs>` + strings.Repeat(xf, n) + `</cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": sheetXML(`<row><c s="1"><v>1</v></c><c s="1"><v>2</v></c></row>`),
	})
}

func sheetsOf(n int) []byte {
	return zipped(map[string]string{"xl/workbook.xml": xmlHead + `<workbook ` + mainName + `><sheets>` + strings.Repeat(`<sheet name="FAQ" sheetId="1" r:id="rId1"/>`, n) + `</sheets></workbook>`})
}

// partsOf has as many empty parts as fit.
func partsOf(size int) []byte {
	parts := map[string]string{}
	for i := range size / 110 {
		parts[fmt.Sprintf("x%d", i)] = ""
	}
	return zipped(parts)
}
