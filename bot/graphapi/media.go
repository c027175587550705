package graphapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge/media"
)

// newDownloader fetches files from where Meta keeps them, and from the configured API: the addresses come
// from webhooks and answers.
func (c *Client) newDownloader() *media.Downloader {
	return media.NewDownloader(media.DownloaderOptions{
		Hosts: []string{"fbsbx.com", "fbcdn.net", "facebook.com", "cdninstagram.com"},
		Base:  c.base,
		Prepare: func(r *http.Request) {
			// WhatsApp's file host is reported to refuse clients without a user agent
			// (https://github.com/great-detail/WhatsApp-JS-SDK/issues/81).
			r.Header.Set("User-Agent", agent)
			if c.mayHaveToken(r.URL) {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
		},
	})
}

// mayHaveToken reports whether u may see our token: WhatsApp's files need it, and nobody else's.
func (c *Client) mayHaveToken(u *url.URL) bool {
	return c.isBase(u) || u.Scheme == "https" && strings.EqualFold(u.Hostname(), "lookaside.fbsbx.com")
}

func (c *Client) isBase(u *url.URL) bool {
	return u.User == nil && strings.HasPrefix(c.base+"/", u.Scheme+"://"+u.Host+"/")
}

// Download opens the file at address. The caller closes it and limits how much it reads. The error is
// bot.ErrNoFile if it does not lie with Meta, or does not any more.
func (c *Client) Download(ctx context.Context, address string) (io.ReadCloser, error) {
	f, err := c.media.Open(ctx, address)
	gone, refused := errors.AsType[*media.StatusError](err)
	if errors.Is(err, media.ErrHost) || errors.Is(err, media.ErrPrivate) || refused && gone.Gone() {
		return nil, fmt.Errorf("%w: %w", bot.ErrNoFile, err)
	}
	return f, err
}
