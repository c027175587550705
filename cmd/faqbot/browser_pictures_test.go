package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// keepShot writes a screenshot to FAQBOT_SCREENSHOTS, where a person looks at it.
func (b *tab) keepShot(name string) {
	b.d.t.Helper()
	folder := os.Getenv("FAQBOT_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
			var shot []byte
			b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.EmulateViewport(size[0], size[1]))
			b.still()
			b.do(chromedp.CaptureScreenshot(&shot))
			require.NoError(b.d.t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, size[0], scheme)), shot, 0o600))
		}
	}
	b.do(chromedp.EmulateViewport(1440, 900))
}

// keepPicture writes what the README shows, see make pictures.
func (b *tab) keepPicture(name string, width, height int64) {
	b.d.t.Helper()
	folder := os.Getenv("FAQBOT_SCREENSHOTS")
	if folder == "" {
		return
	}
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}}), chromedp.EmulateViewport(width, height))
	b.still()
	var shot []byte
	b.do(chromedp.CaptureScreenshot(&shot))
	require.NoError(b.d.t, os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o600))
	b.do(chromedp.EmulateViewport(1440, 900))
}
