package media

import (
	"archive/zip"
	"bytes"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

// sniff is the media type of data, "" if it is none of those that are taken.
func sniff(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	found := mimetype.Detect(data)
	switch kind := found.String(); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/ogg", "audio/wav", "audio/amr", "audio/aac", "audio/mpeg",
		"audio/mp4", "video/mp4", "video/3gpp", "video/webm":
		return kind
	case "image/apng":
		return "image/png"
	case "audio/x-m4a":
		return "audio/mp4"
	case "video/x-m4v":
		return "video/mp4"
	}
	for kind := found; kind != nil; kind = kind.Parent() { // JSON is text, and Word is a ZIP archive
		switch {
		case kind.Is("text/html"), kind.Is("text/xml"), kind.Is("image/svg+xml"): // browsers run what is in them
			return ""
		case kind.Is("application/zip"):
			return officeKind(data)
		case kind.Is("text/plain") && utf8.Valid(data) && !bytes.ContainsRune(data, 0):
			return "text/plain; charset=utf-8"
		}
	}
	return ""
}

// officeKind tells which of Office Open XML a ZIP archive is, "" if it is another archive or may run
// something.
func officeKind(data []byte) string {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return ""
	}
	kind, office := "", false
	for _, f := range archive.File {
		switch name := strings.ToLower(f.Name); {
		case strings.HasSuffix(name, "vbaproject.bin"):
			return ""
		case name == "[content_types].xml":
			office = true
		case name == "word/document.xml":
			kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
		case name == "xl/workbook.xml":
			kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		case name == "ppt/presentation.xml":
			kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
		}
	}
	if !office {
		return ""
	}
	return kind
}

// maxName is how many characters of a file's name are kept.
const maxName = 120

// cleanName is what a sender calls a file, without folders and without what cannot be shown.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) { // a right-to-left override hides an ending
			return -1
		}
		return r
	}, name))
	if name == "" || name == "." || name == "/" {
		return "file"
	}
	if runes := []rune(name); len(runes) > maxName { // the ending matters more than the middle
		name = string(runes[:maxName-21]) + "…" + string(runes[len(runes)-20:])
	}
	return name
}
