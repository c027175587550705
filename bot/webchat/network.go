package webchat

import "faqbot/bot/network"

// Network is the chat on a page as the service knows it: the widget is ours, so there is no network to
// call or be called by, and accounts stand in the configuration file.
func Network() network.Network {
	return network.Network{Name: "webchat", Label: "Web chat", Icon: "web", Limits: new(Channel).Limits()}
}
