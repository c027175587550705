package main

import (
	"path"
	"slices"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/fit"
	"faqbot/bot/network"
	"faqbot/knowledge"
	"faqbot/knowledge/portal"
)

// showEntry is what customers get of an entry's answer on each network, cut as the runner cuts it. Networks that show
// it alike stand together.
func showEntry(e knowledge.Entry) (list []portal.ChannelView) {
	for _, n := range accounts.All() {
		var messages []portal.MessageView
		for _, r := range bot.Carrying(bot.Reply{Text: e.Answer}, e.Media) {
			for _, part := range fit.Split(r, n.Limits) {
				messages = append(messages, showMessage(part, n))
			}
		}
		same := func(v portal.ChannelView) bool {
			return slices.EqualFunc(v.Messages, messages, func(a, b portal.MessageView) bool { return a.Text == b.Text && a.File == b.File })
		}
		if i := slices.IndexFunc(list, same); i >= 0 {
			list[i].Names = append(list[i].Names, n.Label)
			for j := range messages { // the narrower room counts
				if m := messages[j]; m.Room < list[i].Messages[j].Room {
					list[i].Messages[j] = m
				}
			}
			continue
		}
		list = append(list, portal.ChannelView{Names: []string{n.Label}, Messages: messages})
	}
	return list
}

func showMessage(r bot.Reply, n network.Network) portal.MessageView {
	l := n.Limits
	v := portal.MessageView{Of: n.Label, Text: r.Text, Used: fit.UTF16Len(r.Text), Room: l.Text, Unit: "room_characters"}
	if l.Bytes > 0 {
		v.Used, v.Room, v.Unit = len(r.Text), l.Bytes, "room_bytes"
	}
	if r.Media != nil {
		if v.File = r.Media.Name; v.File == "" {
			v.File = path.Base(r.Media.Link)
		}
		v.Room = l.Caption
	}
	return v
}

// narrowest is how many UTF-16 units of text, and of a button's label, every network carries in one message.
func narrowest() (text, label int) {
	for i, n := range accounts.All() {
		if i == 0 || n.Limits.Text < text {
			text = n.Limits.Text
		}
		if i == 0 || n.Limits.Label < label {
			label = n.Limits.Label
		}
	}
	return text, label
}
