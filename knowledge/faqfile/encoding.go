package faqfile

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"faqbot/knowledge"
	"faqbot/knowledge/plaintext"
)

// A candidate is an encoding that a text may have, and what is common in its languages: letters that make
// up most of a text.
type candidate struct {
	name     string
	encoding encoding.Encoding
	common   string
	latin    bool // its letters stand among those of ASCII
}

func candidates() []candidate {
	const (
		cyrillic = "оеаинтсрвлкмдпуяыьгзбчй"
		han      = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运费退款货订单元满免送请商品"
		kana     = "のにはをたがでてとしれさいるすかなまくもこうっりだらあきつよけせめおわえみどやちじゃひょばんーアイウエオカキクケコサシスセソタチツテトナニハフホマムメモラリルレロンッァィ日本人大一中年会国上分生的後前方出来事者時間商品料届注文返送払円"
		hangul   = "이다는을가니하에의고도지로기사한은를어서시어요나라있대자인수해리그아정만게보부일제원상전면주여러스동구습까세할없합경우무문비신용료"
	)
	return []candidate{
		{"Windows-1252", charmap.Windows1252, "éèàüöäßçñêáíóúãõôîâ’–«»€“”°…œåæø¿¡", true},
		{"Windows-1250", charmap.Windows1250, "ąćęłńóśźżčšžřěýáíéůúőűăîşţâ„”", true},
		{"Windows-1254", charmap.Windows1254, "ışğüöçİŞ", true},
		{"Windows-1251", charmap.Windows1251, cyrillic, false},
		{"KOI8-R", charmap.KOI8R, cyrillic, false},
		{"Windows-1253", charmap.Windows1253, "αοιετσνηυρπκμλςάέίόύήώ", false},
		{"Windows-1255", charmap.Windows1255, "יוהלאתרבמשנ", false},
		{"Windows-1256", charmap.Windows1256, "اليمنوتربةعدفسهك", false},
		{"Shift_JIS", japanese.ShiftJIS, kana, false},
		{"EUC-JP", japanese.EUCJP, kana, false},
		{"GB18030", simplifiedchinese.GB18030, han, false},
		{"Big5", traditionalchinese.Big5, "的一是不了在人有我這個們中來上大為和國地到以說時要就出會可也你對生能", false},
		{"EUC-KR", korean.EUCKR, hangul, false},
	}
}

// declaredEncoding is the one that a web page says it has, or nil.
func declaredEncoding(data []byte) encoding.Encoding {
	head := bytes.ToLower(data[:min(len(data), 2048)])
	mark := []byte("charset=")
	if bytes.HasPrefix(head, []byte("<?xml")) {
		mark = []byte("encoding=")
	} else if !bytes.Contains(head, []byte("<meta")) {
		return nil
	}
	at := bytes.Index(head, mark)
	if at < 0 {
		return nil
	}
	name := strings.TrimLeft(string(head[at+len(mark):]), `"'`)
	name = name[:max(0, strings.IndexAny(name+`"`, "\"' >;/"))]
	if e, err := htmlindex.Get(name); err == nil && !strings.HasPrefix(name, "utf") {
		return e
	}
	return nil
}

// maxEncodings is how many ways of reading a file somebody may choose among.
const maxEncodings = 4

// guessEncoding decodes text that is neither UTF-8 nor UTF-16, in the encoding named chosen or, if that is "", in the
// likeliest. The note says which that is, with samples of the next likely ones, unless it is Windows-1252 and was not
// chosen.
func guessEncoding(data []byte, chosen string) (text string, note knowledge.Problem) {
	const enough = 64 << 10 // bytes that tell an encoding
	sample := data[:min(len(data), enough)]
	isolated := isolatedShare(sample)
	list := candidates()
	scores := make(map[string]float64, len(list))
	for _, c := range list {
		scores[c.name] = c.score(sample, isolated)
		if c.name == chosen {
			scores[c.name] = math.Inf(1)
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(scores[b.name], scores[a.name]) })
	best := list[0]
	text = plain(transcode(best.encoding, data))
	if best.latin && best.encoding == charmap.Windows1252 && chosen == "" {
		return text, note
	}
	for _, c := range list[:maxEncodings] {
		note.Encodings = append(note.Encodings, knowledge.Encoding{Name: c.name, Sample: foreign(plain(transcode(c.encoding, sample)))})
	}
	how := "was read as"
	if best.name == chosen {
		how = "was read, as you chose, as"
	}
	note.Text = fmt.Sprintf("The text is not UTF-8 and %s %s, for example %s. If that is wrong (it may be %s), choose another or save the file as UTF-8 and send it again.",
		how, best.name, quote(note.Encodings[0].Sample), list[1].name)
	return text, note
}

// isolatedShare is the share of bytes beyond ASCII that have a letter of ASCII at one side at least, as in
// languages with Latin letters.
func isolatedShare(data []byte) float64 {
	letter := func(i int) bool {
		return i >= 0 && i < len(data) && (data[i]|0x20 >= 'a' && data[i]|0x20 <= 'z')
	}
	alone, all := 0, 0
	for i, c := range data {
		if c >= 0x80 {
			if all++; letter(i-1) || letter(i+1) {
				alone++
			}
		}
	}
	return float64(alone) / float64(max(1, all))
}

// score is how likely data has the encoding: from common letters, and against what cannot be decoded.
func (c candidate) score(data []byte, isolated float64) float64 {
	text := transcode(c.encoding, data)
	sum, bytes := 0.0, 0
	for _, b := range data {
		if b >= 0x80 {
			bytes++
		}
	}
	weight := 1.0 // of a rune in bytes
	if !c.latin && utf8.RuneCountInString(text) < len(data)*9/10 {
		weight = 2
	}
	for _, r := range text {
		switch {
		case r < 0x80:
		case r == utf8.RuneError:
			sum -= 5
		case strings.ContainsRune(c.common, unicode.ToLower(r)):
			if sum += weight; unicode.IsUpper(r) {
				sum -= weight / 2 // texts are lower case for the most part
			}
		case r >= 0xff61 && r <= 0xff9f: // half a kana, which nobody writes
			sum -= 1
		case unicode.Is(unicode.Co, r) || unicode.IsControl(r):
			sum -= 3
		case unicode.IsLetter(r):
			sum += weight / 4
		case r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60 || unicode.IsPunct(r):
			sum += weight / 2
		default:
			sum -= weight / 2
		}
	}
	share := sum / float64(max(1, bytes))
	if c.latin {
		return share * (isolated + 0.1)
	}
	return share * (1.05 - isolated)
}

// foreign is what stands around the first letter of text that is beyond ASCII, in its line.
func foreign(text string) string {
	const before = 40 // bytes
	for line := range strings.Lines(text) {
		if at := strings.IndexFunc(line, func(r rune) bool { return r > unicode.MaxASCII }); at >= 0 {
			from := max(0, at-before)
			for !utf8.RuneStart(line[from]) {
				from++
			}
			return clipped(line[from:])
		}
	}
	return clipped(text)
}

// clipped is the beginning of a line, as long as a sample may be.
func clipped(line string) string { return plaintext.Cut(strings.TrimSpace(line), sampleText) }

// Encodings are the names of the encodings that a file may be read in, besides UTF-8 and UTF-16.
func Encodings() (names []string) {
	for _, c := range candidates() {
		names = append(names, c.name)
	}
	return names
}
