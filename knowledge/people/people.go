// Package people keeps who may use the service's pages and API, and proves it: accounts with roles,
// passwords, one-time links, sessions, API keys, the audit, and the service's signing keys. It has its own SQL and no pages (signin has them).
//
// It is not for customers, who have no accounts, nor for deciding what a role may do: pages say which
// roles they are for.
//
// What is stored is of no use to a thief of the database: passwords are argon2id hashes, tokens and
// keys are known by their SHA-256. The signing keys are sealed with a key that is outside the database.
package people

import (
	"embed"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema returns the migrations of this package's tables.
func Schema() sqldb.Schema { return sqldb.Embedded("people", schemaFiles) }

// A PersonID names a person for as long as the database lives.
type PersonID string

// Operator stands in the audit for whoever works at the server's own command line.
const Operator PersonID = "operator"

// A Role is what somebody is here to do.
type Role string

const (
	RoleAdmin     Role = "admin"     // settings and people
	RoleLead      Role = "lead"      // the desk and its figures
	RoleAgent     Role = "agent"     // the desk
	RoleAffiliate Role = "affiliate" // entries
)

// Roles returns every role, the mightiest first.
func Roles() []Role { return []Role{RoleAdmin, RoleLead, RoleAgent, RoleAffiliate} }

// A Person is one account.
type Person struct {
	ID         PersonID
	Name       string // for signing in; unique without case
	Role       Role
	Affiliates []knowledge.AffiliateID // whose things they see; empty means none, knowledge.Everyone all
	CreatedAt  time.Time
	Disabled   bool
	Invited    bool   // has not chosen a password yet
	Email      string // where links and notices go, "" if nowhere
	Notify     bool   // they are told by e-mail of tickets that wait while nobody is at the desk
}

// May reports whether the person may see and change what belongs to the affiliate. What belongs to
// nobody in particular, "", is for those who see everyone's.
func (p Person) May(affiliate knowledge.AffiliateID) bool {
	return !p.Disabled && (slices.Contains(p.Affiliates, knowledge.Everyone) || affiliate != "" && slices.Contains(p.Affiliates, affiliate))
}

// A Newcomer is who Add makes an account for.
type Newcomer struct {
	Name       string
	Role       Role
	Affiliates []knowledge.AffiliateID
	Email      string // may be empty
}

// What can go wrong, for errors.Is.
var (
	ErrNotFound        = errors.New("not found")
	ErrName            = errors.New("a sign-in name has 1 to 64 visible characters, with no space at either end")
	ErrTaken           = errors.New("somebody has this sign-in name")
	ErrRole            = errors.New("there is no such role")
	ErrAffiliate       = errors.New("an affiliate's name is missing or cannot be used here")
	ErrLastAdmin       = errors.New("this is the only admin who can sign in")
	ErrPasswordShort   = errors.New("the password has fewer than 10 characters")
	ErrPasswordLong    = errors.New("the password has more than 200 characters")
	ErrPasswordObvious = errors.New("the password is one of the first that anybody would guess")
	ErrSignIn          = errors.New("the name or the password is wrong")
	ErrPaused          = errors.New("too many wrong passwords")
	ErrToken           = errors.New("the link is used up, replaced, older than a day, or not one of ours")
	ErrKey             = errors.New("the API key is unknown or revoked")
)

// A PausedError says how long guessing is refused. It is an ErrPaused.
type PausedError struct{ Wait time.Duration }

func (e *PausedError) Error() string {
	return ErrPaused.Error() + ": wait " + e.Wait.Round(time.Second).String()
}

func (e *PausedError) Unwrap() error { return ErrPaused }

var _ error = (*PausedError)(nil)

const nameMost = 64 // characters

func checkName(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > nameMost || strings.TrimSpace(name) != name {
		return ErrName
	}
	for _, r := range name {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ErrName
		}
	}
	return nil
}

// fold is a name as it is compared.
func fold(name string) string { return strings.ToLower(strings.ToUpper(strings.TrimSpace(name))) }

// cleanAffiliates is the list in order, each once.
func cleanAffiliates(ids []knowledge.AffiliateID) ([]knowledge.AffiliateID, error) {
	list := slices.Clone(ids)
	slices.Sort(list)
	list = slices.Compact(list)
	for _, id := range list {
		if s := string(id); s == "" || strings.TrimSpace(s) != s || utf8.RuneCountInString(s) > nameMost {
			return nil, ErrAffiliate
		}
	}
	return list, nil
}
