// Package knowledge holds what affiliates want said: entries, uploads of them, and the published
// revisions of each affiliate's corpus, with their SQL. Affiliates are separate: nothing here reads
// or changes two of them together.
//
// It is not for reading files (faqfile), finding answers (the retrieval folder) or showing pages.
package knowledge

import "time"

// EntryID names an entry for as long as it lives, through every edit. Example: "K3ZQ…".
type EntryID string

// AffiliateID is an affiliate's name as the operator writes it in the configuration. Example: "acme".
type AffiliateID string

// Everyone stands for all affiliates where a list of affiliates is asked for. It is never an
// affiliate's own name.
const Everyone AffiliateID = "*"

// Revision counts one affiliate's publishes, from 1; 0 means that nothing was published yet.
type Revision int64

// An Entry answers one question in one language.
type Entry struct {
	ID        EntryID
	Affiliate AffiliateID // the marketer who supplied it and answers for it
	Key       string      // the affiliate's own name for the row; unique with Affiliate and Locale
	Locale    string      // BCP 47: "en", "pt-BR"; "" means the affiliate did not say
	Question  string      // the wording shown to people
	Variants  []string    // other wordings customers use
	Answer    string      // what the customer is told; plain text with links
	Media     []Media     // what goes with the answer, in order
	Topic     string      // groups entries and routes a handoff
	FollowUps []string    // keys of entries in the same language to suggest after the answer, at most limits.MaxFollowUps
	Slug      string      // the entry's address among the affiliate's; "" until it is published
	From, To  time.Time   // when the answer holds: From ≤ t < To; zero means unbounded
	Revision  Revision    // the publish that last changed it

	Source   string    // the file or web page that it was last read from, "" if none is known
	EditedBy string    // who edited it by hand since then, or wrote it here; "" if nobody did
	EditedAt time.Time // when
}

// ByHand reports whether somebody edited the entry here since it was last read from a file, or wrote it here.
func (e Entry) ByHand() bool { return !e.EditedAt.IsZero() }

// Wordings returns the question and its variants, the question first.
func (e Entry) Wordings() []string {
	return append([]string{e.Question}, e.Variants...)
}

// Holds reports whether the answer is valid at t.
func (e Entry) Holds(t time.Time) bool {
	return (e.From.IsZero() || !t.Before(e.From)) && (e.To.IsZero() || t.Before(e.To))
}

// A Media is a file that goes with an answer: one that we keep, by its ID in knowledge/media, or one that
// lies elsewhere, by its link. One with neither is a file's name that nobody has found the file of yet.
type Media struct {
	Kind string `json:"kind"`           // photo, video, audio, document
	File string `json:"file,omitempty"` // its ID in knowledge/media
	Link string `json:"link,omitempty"` // https
	Name string `json:"name,omitempty"` // as its author calls it
	Alt  string `json:"alt,omitempty"`  // what a picture shows, or what is said in a recording, for people who do not see or hear it
	Type string `json:"type,omitempty"` // media type, of a file that we keep
	Size int64  `json:"size,omitempty"` // bytes, of a file that we keep
}

// A Row is one parsed line of an upload, before it is compared with the corpus. A slug that is empty, and follow-ups that
// are nil, stay as they are published.
type Row struct {
	Line int // the first line of the row in the file, from 1
	Entry
}

// A Problem is something the affiliate should mend, said so that they can.
type Problem struct {
	Line  int    // 0 when the problem is the file's as a whole
	Field string // the column or JSON field, "" if none
	// Key is the row's own name where it could be read: a published entry of that key is kept,
	// whatever the file does or does not say of it. A problem with a Line but no Key may be any
	// entry's row, so while there is one nothing is retired.
	Key   string
	Text  string // what is wrong and what to do about it
	Fatal bool   // the upload cannot be published until this is mended

	// Row is the row's place among the file's, from 1, by which a Mend finds it: lines may be shared.
	// 0 if the problem is not a row's. Lost means that the row was left out because of the problem.
	Row  int  `json:",omitempty"`
	Lost bool `json:",omitempty"`
	// Given is what a lost row says, by the names of fields, as far as it could be read and is worth
	// keeping: enough to mend it without the file.
	Given map[string]string `json:",omitempty"`
	// Encodings are the ways in which the bytes of the file may be meant, the one that was used first, if they do
	// not say which.
	Encodings []Encoding `json:",omitempty"`
}

// An Encoding is a character encoding by its name, and a line of the file read in it.
type Encoding struct {
	Name   string
	Sample string
}

// A Reading is how to read a file beyond what its bytes say. The zero Reading adds nothing.
type Reading struct {
	// Columns says which column is which field, where the headers do not: header → field. "#2" is the
	// second column, for one without a header of its own.
	Columns  map[string]string `json:",omitempty"`
	Encoding string            `json:",omitempty"` // the name of the one that somebody chose, "" to find out
	Headless bool              `json:",omitempty"` // the first row is no header; Columns has places alone
	Mends    []Fix             `json:",omitempty"` // the last of a row and field counts
	Absent   Absent            `json:",omitempty"`
	Take     []EntryID         `json:",omitempty"` // entries edited by hand for which the file counts all the same
}

// Absent says what becomes of published entries that a file lacks.
type Absent string

const (
	// AbsentByShare retires them, or keeps them if they are more than half of what is published. Of a file that was
	// published before, those are meant that came from it.
	AbsentByShare Absent = ""
	AbsentStay    Absent = "stay"   // the file adds and updates
	AbsentGone    Absent = "gone"   // those that came from the file are retired, however many they are
	AbsentRetired Absent = "retire" // the file replaces everything, edits by hand too
)

// A Fix is what somebody typed instead of what stands in one field of one row of a file.
type Fix struct {
	Row   int // see Problem.Row
	Line  int `json:",omitempty"` // of the row, for people
	Field string
	Value string
	Drop  bool `json:",omitempty"` // leave the row out; Field and Value say nothing
}

// IsZero reports whether r adds nothing.
func (r Reading) IsZero() bool {
	return len(r.Columns) == 0 && !r.Headless && len(r.Mends) == 0 && r.Absent == "" && len(r.Take) == 0
}
