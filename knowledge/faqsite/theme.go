package faqsite

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"faqbot/knowledge/page"
)

// dress makes the edition's style sheet: ours, with the affiliate's colour made dark enough to be read on a light page,
// and light enough on a dark one.
func (e *edition) dress() {
	css := styles
	if c, ok := parseColor(e.saved.Color); ok {
		light, dark := c.toward(black(), white()), c.toward(white(), darkPage())
		css += fmt.Sprintf(":root{--accent:%s;--on-accent:#fff}\n@media (prefers-color-scheme:dark){:root{--accent:%s;--on-accent:#0b1010}}\n", light, dark)
	}
	sum := sha256.Sum256([]byte(css))
	e.look = page.NewAsset("theme.css", []byte(css))
	e.lookAt = At(e.affiliate.ID, "/theme.css?v="+base64.RawURLEncoding.EncodeToString(sum[:6]))
}

// theme serves the style sheet, whose address changes with it.
func (s *Site) theme(v *visit) error {
	v.look.Serve(v.Writer, v.Request, "public, max-age=31536000, immutable")
	return nil
}

// minContrast is what WCAG asks of text.
const minContrast = 4.5

// A color is red, green and blue from 0 to 1.
type color [3]float64

func white() color    { return color{1, 1, 1} }
func black() color    { return color{} }
func darkPage() color { return color{0.1, 0.13, 0.13} } // --surface of faq.css

func parseColor(text string) (c color, ok bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 {
		return c, false
	}
	return color{float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// luminance is how bright a colour is, by WCAG 2.
func (c color) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

func (c color) contrast(d color) float64 {
	a, b := c.luminance(), d.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// toward mixes c with as little of another colour as makes it readable on ground.
func (c color) toward(other, ground color) color {
	mixed := c
	for share := 0.0; share < 1 && mixed.contrast(ground) < minContrast+0.1; share += 0.02 { // rounding to bytes costs a little
		for i := range mixed {
			mixed[i] = c[i]*(1-share) + other[i]*share
		}
	}
	return mixed
}
