package media

import (
	"archive/zip"
	"bytes"
	"net/http"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sniff is the media type of data, "" if it is none of those that are taken.
func sniff(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	switch kind, _, _ := strings.Cut(http.DetectContentType(data), ";"); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/mpeg":
		return kind
	case "audio/wave":
		return "audio/wav"
	case "application/ogg":
		return oggKind(data)
	case "video/webm":
		if bytes.Contains(data[:min(len(data), 64)], []byte("webm")) { // not another Matroska
			return kind
		}
		return ""
	case "text/plain":
		if utf8.Valid(data) && !bytes.ContainsRune(data, 0) {
			return "text/plain; charset=utf-8"
		}
	}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return officeKind(data)
	case bytes.HasPrefix(data, []byte("#!AMR\n")):
		return "audio/amr"
	case len(data) > 12 && string(data[4:8]) == "ftyp":
		return mp4Kind(string(data[8:12]))
	case len(data) > 7 && data[0] == 0xFF && data[1]&0xF6 == 0xF0: // ADTS: layer 0
		return "audio/aac"
	case len(data) > 3 && data[0] == 0xFF && data[1]&0xE0 == 0xE0 && data[1]&0x06 == 0x02 && data[2]&0xF0 != 0xF0:
		return "audio/mpeg" // a layer III frame without a tag before it
	}
	return ""
}

// mp4Kind tells by its brand what an ISO media file is.
func mp4Kind(brand string) string {
	switch {
	case brand == "M4A " || brand == "M4B ":
		return "audio/mp4"
	case strings.HasPrefix(brand, "mp4") || strings.HasPrefix(brand, "iso") || brand == "avc1" || brand == "M4V ":
		return "video/mp4"
	case strings.HasPrefix(brand, "3gp"):
		return "video/3gpp"
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

// oggKind is audio/ogg if the first stream is sound.
func oggKind(data []byte) string {
	if len(data) < 36 {
		return ""
	}
	for _, codec := range []string{"OpusHead", "\x01vorbis", "Speex   ", "\x7fFLAC"} {
		if bytes.HasPrefix(data[28:], []byte(codec)) {
			return "audio/ogg"
		}
	}
	return ""
}

// longestName is how many characters of a file's name are kept.
const longestName = 120

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
	if runes := []rune(name); len(runes) > longestName { // the ending matters more than the middle
		name = string(runes[:longestName-21]) + "…" + string(runes[len(runes)-20:])
	}
	return name
}
