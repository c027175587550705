package limits

import "time"

// Files bounds what one owner may have kept. A day is the last 24 hours. A file that the owner sent
// before counts once.
type Files struct {
	DayFiles int64
	DayBytes int64
	AllBytes int64 // of everything that is still kept
}

// A file counts against each of its owners.

// MaxVisitorFiles bounds a customer's.
func MaxVisitorFiles() Files {
	return Files{DayFiles: 30, DayBytes: 100 << 20, AllBytes: 300 << 20}
}

// MaxAddressFiles bounds those from an IP address (IPv6: /64), which an office shares.
func MaxAddressFiles() Files {
	return Files{DayFiles: 100, DayBytes: 300 << 20, AllBytes: 1 << 30}
}

// MaxAccountFiles bounds those sent to an account on a channel.
func MaxAccountFiles() Files {
	return Files{DayFiles: 2_000, DayBytes: 2 << 30, AllBytes: 10 << 30}
}

// MaxAffiliateFiles bounds an affiliate's, with the media of its entries.
func MaxAffiliateFiles() Files {
	return Files{DayFiles: 2_000, DayBytes: 2 << 30, AllBytes: 10 << 30}
}

// MaxUploads bounds an affiliate's FAQ files; AllBytes those that wait to be published.
func MaxUploads() Files {
	return Files{DayFiles: 300, DayBytes: 300 << 20, AllBytes: 2 << 30}
}

// MinFreeDisk is how many bytes must stay free on the disk of a SQLite file: below it files are refused
// and words are still taken. A message takes under 10 kB, so this is room for some 50,000 of them.
const MinFreeDisk = 512 << 20

// How long what nothing refers to is kept.
const (
	StagedFilesFor = 24 * time.Hour      // a file that was sent and not used: a reply never posted
	SentFilesFor   = 90 * 24 * time.Hour // a file in a conversation
	DraftsFor      = 30 * 24 * time.Hour // an upload that was not published, with its files
)
