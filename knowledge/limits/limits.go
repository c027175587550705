// Package limits states the bounds of what affiliates send: of a file before it is read, of what is
// read out of it, and of the work that reading, trying out and publishing may take. Whoever refuses
// something quotes the bound and says what to do. The package holds numbers, not code: each reader
// enforces its own.
package limits

import "time"

// Of a file. Characters are Unicode code points.
const (
	MaxFile      = 5 << 20 // bytes
	MaxRows      = 20_000  // entries and rows with problems together
	MaxQuestion  = 1_000   // characters of a question or a variant
	MaxAnswer    = 25_000  // characters
	MaxWordings  = 1_000   // of an entry: the question and its variants
	MaxKey       = 200     // characters; keys are indexed
	MaxTopic     = 200     // characters
	MaxAlt       = 2_000   // characters: what a picture shows, or what is said in a recording
	MaxSlug      = 80      // characters
	MaxFollowUps = 3       // of an entry: what is suggested after its answer
	MaxLocale    = 100     // characters of a language tag; real ones have 35 at most
	MaxDate      = 100     // characters

	// MaxNotes is how many problems are told of rows that are used without what is wrong with them.
	MaxNotes = 2_000

	// MaxAllWordings is how many wordings an affiliate may have published. The built-in encoder reads
	// some 1,000 of them a second on one core.
	MaxAllWordings = 100_000
)

// Of a table, and of the fields of a JSON object.
const (
	MaxColumns = 400       // cells of a row that are looked at
	MaxCell    = 100_000   // bytes; no answer is longer: 4 bytes for each of MaxAnswer
	MaxCells   = 1_000_000 // of a table, empty ones before the last of a row too
	MaxFields  = 1_000     // of a JSON object
	MaxValues  = 10_000    // strings, numbers, lists and objects inside one field's value
	MaxNesting = 50        // lists and quotations in each other, in Markdown
	MaxJSON    = 100       // lists and objects in each other, in JSON
)

// Of Markdown. From each bracket, star and the like its parser may look at the rest of the block.
const (
	MaxMarkup      = 1_000_000_000 // marks of a block × bytes of the block, summed over all blocks
	MaxNodes       = 50_000        // lines and marks that are parsed at once, some 1,000 bytes of memory each
	MaxDefinitions = 5_000         // link definitions
)

// Of web pages, HTML in a field, text documents and YAML.
const (
	MaxTags     = 60_000  // tags of HTML in one page or field, some 200 bytes of memory each
	MaxLines    = 200_000 // headings and lines of Markdown or a text document, some 100 bytes of memory each
	MaxDocument = 8 << 20 // bytes of a text document's main part, unpacked
	MaxYAML     = 200_000 // lines and marks of YAML, some 200 bytes of memory each
	MaxLinks    = 20_000  // links, and merged ranges, of the cells of a workbook
)

// Of a workbook, before the library for workbooks sees it.
const (
	MaxParts    = 1_000     // files in the archive
	MaxUnpacked = 32 << 20  // bytes of all parts together
	MaxElements = 2_000_000 // XML elements and attributes of all parts together
	MaxShared   = 500_000   // those of the shared texts, of which the library keeps some 100 bytes each
	MaxSettings = 100_000   // those outside of sheets and shared texts, which the library keeps whole
	MaxSheets   = 1_000     // sheets; the first 30 are looked at
	MaxSheetRow = 1 << 20   // the number of a row, as in Excel
	MaxText     = 16 << 20  // bytes of all cells' text, a shared text counted each time it is used
	MaxFormats  = 4_000_000 // bytes of number formats, counted for each cell that has one
)

// Of the work. A reader runs in a process of its own, so that it can be ended and its memory goes back.
const (
	MaxReaders    = 2                // files read at once
	MaxMemory     = 128 << 20        // bytes that one reader may use: all together stay below 300 MB
	MaxProcessing = 15 * time.Second // CPU time of one reader
	MaxReading    = 30 * time.Second // that a file may take, the wait for a free reader not included
	MaxWait       = 15 * time.Second // for a free reader
	MaxOutput     = 64 << 20         // bytes of what a reader hands over

	MaxTrying    = 15 * time.Second // that somebody waits for a try-out; indexing goes on meanwhile
	MaxIndexing  = 15 * time.Minute // of one try-out's entries
	MaxTryKept   = 10 * time.Minute // that the index of a draft is kept for the next question
	MaxPreparing = 30 * time.Second // that a publish waits for vectors
)

// Of a crawl of web pages.
const (
	MaxCrawlPages     = 200
	MaxCrawlPage      = 2 << 20          // bytes of a page, unpacked
	MaxCrawlBytes     = 20 << 20         // of all pages, sitemaps and robots.txt together
	MaxCrawlTime      = 2 * time.Minute  // of all pages
	MaxCrawlPageTime  = 10 * time.Second // of one page
	MaxCrawlRedirects = 5                // from one page
	MaxCrawlSitemaps  = 5
	MaxCrawlAddresses = 5_000 // that are remembered
	MaxCrawls         = 4     // at once; of one host one
)
