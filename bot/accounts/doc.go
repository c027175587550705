// Package accounts sets accounts up and looks after them: adding one with its token verified and its webhook
// set, serving accounts that come and go while the service runs, and telling what is wrong with each and
// how to mend it.
//
// It lists the networks (networks.go), which describe themselves, and knows none of them by name. It
// reads no flags and shows no pages; package board does.
package accounts
