package telegram

import (
	"encoding/json"

	"faqbot/bot/lenient"
)

// Senders names the private chats whose messages are in an update that cannot be read.
func (c *Channel) Senders(body []byte) (list []string) {
	lenient.EachObject(body, func(o map[string]any) {
		chat, _ := o["chat"].(map[string]any)
		id, isNumber := chat["id"].(json.Number)
		if _, isMessage := o["message_id"]; isMessage && isNumber && chat["type"] == "private" {
			list = append(list, id.String())
		}
	})
	return list
}
