package store

// What tests of this package use beside its API.
const (
	LinkPrefix    = linkPrefix
	LinkRandom    = linkRandom
	MaxBatchBytes = maxBatchBytes
	PhoneAgain    = phoneAgain
	PhoneFor      = phoneFor

	ReplayAnswered = replayAnswered
	ReplayBlocked  = replayBlocked
	ReplayDoubtful = replayDoubtful
	ReplayWindow   = replayWindow
)

func LinkMessage(random, accountKey string) string { return linkMessage(random, accountKey) }

func LinkSignature(mac []byte) string { return linkSignature(mac) }
