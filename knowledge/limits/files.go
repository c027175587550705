package limits

import "time"

// Files bounds what one owner may have kept. A day is the last 24 hours. A file that the owner sent
// before counts once.
type Files struct {
	DayFiles int64
	DayBytes int64
	AllBytes int64 // of everything that is still kept
}

// The bounds of files by who they count against: a file counts against each of its owners.
var (
	MaxVisitorFiles   = Files{DayFiles: 30, DayBytes: 100 << 20, AllBytes: 300 << 20} // a customer
	MaxAddressFiles   = Files{DayFiles: 100, DayBytes: 300 << 20, AllBytes: 1 << 30}  // an IP address (IPv6: /64): an office shares one
	MaxAccountFiles   = Files{DayFiles: 2_000, DayBytes: 2 << 30, AllBytes: 10 << 30} // an account on a channel
	MaxAffiliateFiles = Files{DayFiles: 2_000, DayBytes: 2 << 30, AllBytes: 10 << 30} // an affiliate, its own media included
	MaxUploads        = Files{DayFiles: 300, DayBytes: 300 << 20, AllBytes: 2 << 30}  // an affiliate's FAQ files that wait or were published
)

// MinFreeDisk is how many bytes must stay free on the disk of a SQLite file: below it files are refused
// and words are still taken. A message takes under 10 kB, so this is room for some 50,000 of them.
const MinFreeDisk = 512 << 20

// How long what nothing refers to is kept.
const (
	StagedFilesFor = 24 * time.Hour      // a file that was sent and not used: a reply never posted
	SentFilesFor   = 90 * 24 * time.Hour // a file in a conversation
	DraftsFor      = 30 * 24 * time.Hour // an upload that was not published, with its files
)
