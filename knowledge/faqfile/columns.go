package faqfile

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"faqbot/knowledge/limits"
)

// A column is a field of a row, by whatever name a file calls it.
type column int

const (
	colKey column = iota
	colQuestion
	colAnswer
	colTopic
	colVariants
	colLocale
	colFrom
	colTo
	colMedia
	columns
)

// columnName returns the name we tell people, in order of column.
func columnName(c column) string {
	return [columns]string{"id", "question", "answer", "topic", "variants", "locale", "from", "to", "media"}[c]
}

// A known is what a header means. Where two headers mean one column, the lower rank wins.
type known struct {
	column column
	rank   int
}

// names maps headers, as normalHeader writes them, to columns. A name counts for its column the
// more the earlier it stands, so that "title" is the question only where nothing is called "question".
func names() map[string]known {
	lists := [columns]string{
		colKey: `id key entryid faqid questionid identifier uid uuid externalid itemid code sku ref slug reference number
			clave codigo identificador referencia chave kennung schlussel schluessel nummer artikelnummer identifiant cle numero`,
		colQuestion: `question q questions canonicalquestion mainquestion questiontext faqquestion customerquestion userquestion
			pregunta preguntas pergunta perguntas frage fragen faq query ask title heading titulo titel titre subject name`,
		colAnswer: `answer a answers response reply answertext faqanswer acceptedanswer responses replies solution
			respuesta respuestas resposta respostas antwort antworten reponse reponses loesung losung
			answerhtml answerbody text body content description contenido contenu conteudo inhalt suggestedanswer`,
		colTopic: `topic category categories section theme group subcategory department area tag tags topics
			tema temas categoria seccion secao grupo assunto thema kategorie rubrik bereich sujet categorie rubrique`,
		colVariants: `variants variant variations variation alternatives alternative alternativequestions alternativequestion
			alternatequestions alternatequestion altquestions altquestion alsoasked alsoaskedas peoplealsoask synonyms synonym
			wordings wording phrasings phrasing otherphrasings otherwordings otherquestions similarquestions similarquestion
			paraphrases paraphrase utterances utterance trainingphrases examples aliases alias alt
			variantes variante variaciones alternativas alternativa sinonimos otraspreguntas preguntassimilares outrasperguntas
			perguntassemelhantes variacoes varianten alternativen alternativfragen synonyme ahnlichefragen weiterefragen
			formulierungen synonymes autresquestions reformulations formulations`,
		colLocale: `locale language lang languagecode languagetag inlanguage idioma lengua lingua linguagem sprache langue`,
		colFrom: `from validfrom start startdate starts startsat validfromdate effectivefrom effective begin begins beginsat since
			desde validodesde inicio fechainicio datainicio validoapartirde gultigab gueltigab gultigvon gueltigvon ab von beginn
			apartirde apartirdu valablede debut datedebut du`,
		colTo: `to until validto validuntil validthrough end enddate ends endsat expires expiry expirydate expirationdate expiration
			expireson expiresat validtodate till
			hasta validohasta fin fechafin ate validoate fim datafim expira vence vencimiento gultigbis gueltigbis bis ende ablauf
			jusqua jusquau valablejusquau datefin expiration expirele au`,
		colMedia: `media mediaurl image images imageurl picture pictures photo photos video videos videourl attachment attachments
			imagen imagenes foto fotos adjunto adjuntos imagem imagens anexo anexos bild bilder anhang piecejointe`,
	}
	m := make(map[string]known)
	for c, list := range lists {
		for rank, name := range strings.Fields(list) {
			if _, taken := m[name]; !taken {
				m[name] = known{column(c), rank}
			}
		}
	}
	return m
}

// normalHeader reduces a header to its letters and digits: "Válido desde (fecha)*" is "validodesde".
func normalHeader(s string) string {
	if i := strings.IndexAny(s, "(["); i > 0 {
		s = s[:i]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// lookUp returns what a header means. Columns of variants and of media may be numbered.
func lookUp(names map[string]known, header string) (known, bool) {
	if len(header) > 100 {
		return known{}, false
	}
	name := normalHeader(header)
	if k, ok := names[name]; ok {
		return k, true
	}
	if k, ok := names[strings.TrimRight(name, "0123456789")]; ok && (k.column == colVariants || k.column == colMedia) {
		return k, true
	}
	return known{}, false
}

// chosen is names where somebody said what the headers mean. Those of the form "#2" are places.
func chosen(columns map[string]string) map[string]known {
	m := make(map[string]known, len(columns))
	for header, field := range columns {
		if c, ok := columnOf(field); ok && place(header) < 0 {
			m[normalHeader(header)] = known{column: c}
		}
	}
	return m
}

// places is the columns that somebody named by their places: cell → column.
func places(columns map[string]string) map[int]column {
	m := make(map[int]column, len(columns))
	for header, field := range columns {
		if c, ok := columnOf(field); ok && place(header) >= 0 {
			m[place(header)] = c
		}
	}
	return m
}

// columnOf undoes columnName.
func columnOf(field string) (column, bool) {
	for c := range columns {
		if columnName(c) == field {
			return c, true
		}
	}
	return 0, false
}

// place returns the cell that "#2" means, or -1.
func place(header string) int {
	digits, ok := strings.CutPrefix(header, "#")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > limits.MaxColumns {
		return -1
	}
	return n - 1
}

// A layout says in which cell of a table's rows each column is.
type layout struct {
	cell     [columns]int // -1: absent; variants and media are below
	variants []int
	media    []int
	found    int // columns recognised
}

func (l layout) has(c column) bool {
	return l.cell[c] >= 0 || c == colVariants && len(l.variants) > 0 || c == colMedia && len(l.media) > 0
}

// layOut recognises the columns of a header, and takes those of fixed for what they are.
func layOut(names map[string]known, fixed map[int]column, cells []string) layout {
	l := layout{}
	var rank [columns]int
	for c := range l.cell {
		l.cell[c] = -1
	}
	for i, cell := range cells {
		k, ok := lookUp(names, cell)
		switch {
		case !ok:
		case k.column == colVariants:
			l.variants = append(l.variants, i)
		case k.column == colMedia:
			l.media = append(l.media, i)
		case l.cell[k.column] < 0 || k.rank < rank[k.column]:
			l.cell[k.column], rank[k.column] = i, k.rank
		}
	}
	for i, c := range fixed {
		switch c {
		case colVariants:
			l.variants = append(l.variants, i)
		case colMedia:
			l.media = append(l.media, i)
		default:
			l.cell[c] = i
		}
	}
	slices.Sort(l.variants)
	slices.Sort(l.media)
	for c := range columns {
		if l.has(c) {
			l.found++
		}
	}
	return l
}
