package inbound

// MaxHold is what tests of this package use beside its API.
const MaxHold = maxHold
