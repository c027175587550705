package portal

import "faqbot/knowledge"

// A ChannelView is what customers get of an answer on channels that show it alike.
type ChannelView struct {
	Names    []string // of the channels: "Telegram"
	Messages []MessageView
}

// A MessageView is one message.
type MessageView struct {
	Text string
	File string // what goes with it is called; "" for nothing
	Used int    // how much of the message's room the text takes
	Room int    // see Unit
	Of   string // the channel whose room it is
	Unit string // "room_characters" or "room_bytes": the text that says so
}

// shown is what customers get of e's answer, nil if nobody can tell.
func (p *Portal) shown(e knowledge.Entry) []ChannelView {
	if p.o.Show == nil || e.Answer == "" && len(e.Media) == 0 {
		return nil
	}
	return p.o.Show(e)
}
