package messenger

import "faqbot/bot/lenient"

// Senders names who wrote the messages, or tapped, in a body, or part of one, that cannot be read.
func (c *Channel) Senders(body []byte) (list []string) {
	lenient.EachObject(body, func(o map[string]any) {
		sender, _ := o["sender"].(map[string]any)
		id, _ := sender["id"].(string)
		message, _ := o["message"].(map[string]any)
		_, wrote := o["message"]
		_, tapped := o["postback"]
		if isID(id) && id != c.page && (wrote || tapped) && message["is_echo"] != true {
			list = append(list, id)
		}
	})
	return list
}
