package accounts

import (
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/bot/messenger"
	"faqbot/bot/network"
	"faqbot/bot/telegram"
	"faqbot/bot/webchat"
	"faqbot/bot/whatsapp"
)

// All networks there are: a new one is a line here.
func All() []network.Network {
	return []network.Network{telegram.Network(), whatsapp.Network(), messenger.Messenger(), messenger.Instagram(), webchat.Network()}
}

// Networks are those of which accounts can be added, in the order in which they are offered.
func Networks() []network.Network {
	return slices.DeleteFunc(All(), func(n network.Network) bool { return n.Open == nil })
}

// NetworkOf finds a network by its name. One that nobody knows is known by that name alone: its account is
// of a build that had it.
func NetworkOf(name string) (n network.Network, known bool) {
	for _, n := range All() {
		if n.Name == name {
			return n, true
		}
	}
	return network.Network{Name: name, Label: name, Icon: "chat"}, false
}

// Label is what people call a network.
func Label(name string) string {
	n, _ := NetworkOf(name)
	return n.Label
}

// Names are the names of some networks.
func Names(list []network.Network) (names []string) {
	for _, n := range list {
		names = append(names, n.Name)
	}
	return names
}

// Complete checks an account's settings without asking its network, fills in what may be left out, and
// resolves secrets that are references; relative paths begin in dir. What is wrong with a value is a
// *network.FieldError.
func Complete(s *network.Settings, dir string) error {
	n, known := NetworkOf(s.Channel)
	if !known {
		return network.Wrong("channel", "channel = %q: use one of %s", s.Channel, strings.Join(Names(All()), ", "))
	}
	if err := s.Complete(dir); err != nil || n.Complete == nil {
		return err
	}
	return n.Complete(s)
}

// open is the channel of an account. It calls nobody.
func open(s network.Settings, o Options) (bot.Channel, error) {
	n, known := NetworkOf(s.Channel)
	if !known || n.Open == nil {
		return nil, network.Wrong("channel", "this build has no network called %q", s.Channel)
	}
	return n.Open(s, network.Options{Files: o.Files, Log: o.Log})
}
