package limits

// Event streams that may be open at once. A stream costs about 50 kB. Who has too many is told to come
// back later, and what they say is still taken.
const (
	MaxStreams          = 2_000 // chats of all accounts
	MaxAccountStreams   = 500   // chats of one account
	MaxAddressStreams   = 100   // chats from one network address
	MaxVisitorStreams   = 20    // chats of one visitor
	MaxDeskStreams      = 1_000 // desks of everybody
	MaxPersonStreams    = 30    // desks of one person
	MaxDeskAtOneAddress = 300   // desks from one network address
)
