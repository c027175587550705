package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/people"
	"faqbot/knowledge/vault"
)

// mediaLinkLife is how long a link to a file of ours is good: networks fetch it within minutes, and
// customers who got the link instead of the file have a week.
const mediaLinkLife = 7 * 24 * time.Hour

// mediaLinks are addresses at which a network, or a customer, may fetch a file of ours: whoever has one may,
// until it ends, and nobody can make one.
type mediaLinks struct {
	service *service
	signer  vault.Signer
	now     func() time.Time
}

func newMediaLinks(s *service) *mediaLinks {
	return &mediaLinks{service: s, signer: s.keys.Signer(people.MediaLinks), now: time.Now}
}

// link is the address of a file, "" if the world cannot reach us or the key that signs it is missing.
func (l *mediaLinks) link(m bot.Media) string {
	base := l.service.config.Server.PublicURL
	if base == "" || !l.signer.Ready() {
		return ""
	}
	name := m.Name
	if name == "" {
		name = "file"
	}
	until := strconv.FormatInt(l.now().Add(mediaLinkLife).Unix(), 10)
	return base + "/media/" + url.PathEscape(m.File) + "/" + url.PathEscape(name) + "?" +
		url.Values{"until": {until}, "key": {l.signer.Sign(linkMessage(m.File, name, until))}}.Encode()
}

// linkMessage is what is signed of a link.
func linkMessage(file, name, until string) string { return file + "\x00" + until + "\x00" + name }

// serve hands a file to whoever holds its link.
func (l *mediaLinks) serve(c *gin.Context) {
	file, name, until := c.Param("file"), c.Param("name"), c.Query("until")
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !l.signer.Verify(linkMessage(file, name, until), c.Query("key")) || !l.now().Before(time.Unix(end, 0)) {
		c.String(http.StatusNotFound, "There is no file here, or the link has ended.\n")
		return
	}
	blob, data, err := l.service.media.Get(c.Request.Context(), file)
	switch {
	case errors.Is(err, media.ErrNotFound):
		c.String(http.StatusNotFound, "The file is no longer kept.\n")
	case err != nil:
		l.service.log.WithError(err).Error("cannot read a file")
		c.AbortWithStatus(http.StatusInternalServerError)
	default:
		media.Serve(c.Writer, c.Request, blob, name, data)
	}
}
