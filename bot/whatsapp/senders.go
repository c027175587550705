package whatsapp

import "faqbot/bot/lenient"

// Senders names who wrote the messages in a body, or part of one, that cannot be read. What has a "to" is an echo of
// a person of ours.
func (c *Channel) Senders(body []byte) (list []string) {
	lenient.EachObject(body, func(o map[string]any) {
		_, isMessage := o["type"]
		if _, isEcho := o["to"]; isEcho || !isMessage {
			return
		}
		for _, name := range []string{"from", "from_user_id"} {
			if id, _ := o[name].(string); isPhone(id) || isUserID(id) {
				list = append(list, id)
				return
			}
		}
	})
	return list
}
