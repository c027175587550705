package bot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge/vault"
)

// A link takes a customer from one conversation to another channel and proves, by coming back there,
// that both are theirs. Its code is random, signed for the account at which it may be opened, of use
// once, for a quarter of an hour, and kept only as its digest.
const (
	// LinkFor is how long a link may be opened.
	LinkFor = 15 * time.Minute
	// linkGreeting is what our links to WhatsApp fill in before their code: the customer must send words.
	linkGreeting = "Hi!"
	linkPrefix   = "l_"
	linkRandom   = 20 // characters of base32: 100 bits
	linkSeal     = 10 // characters of the signature: 50 bits, which only spare the table a look
)

// A Linker is a Channel to which a link can lead.
type Linker interface {
	// Link is an address that opens a conversation on this account and brings ref, 32 letters, digits, "_"
	// or "-", back as a Referral's. Where the customer must send words, greeting is filled in.
	Link(ctx context.Context, greeting, ref string) (string, error)
}

// A Destination is where a customer may go on.
type Destination struct {
	Key     string // AccountKey
	Channel string
}

// ErrNoLink means that the customer cannot go on there.
var ErrNoLink = errors.New("no link leads there")

// linkMessage is what is signed of a code: its random part and the account.
func linkMessage(random, accountKey string) string { return "link\x00" + random + "\x00" + accountKey }

// linkSignature writes a signature as it stands in a code.
func linkSignature(mac []byte) string { return base32.StdEncoding.EncodeToString(mac)[:linkSeal] }

// isLink reports whether ref looks like a code of ours; signed, whether we made it for that account.
func isLink(signer vault.Signer, ref, accountKey string) (looks, signed bool) {
	code, ok := strings.CutPrefix(ref, linkPrefix)
	if !ok || !signer.Ready() || len(code) != linkRandom+linkSeal || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return false, false
	}
	return true, signer.VerifyMAC(linkMessage(code[:linkRandom], accountKey), code[linkRandom:], linkSignature)
}

func linkDigest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Destinations are the accounts of the same affiliate at which conv's customer may go on, in order:
// those of channels that a link leads to and that they have not written on yet.
func (c *Conversations) Destinations(ctx context.Context, conv Conversation) ([]Destination, error) {
	if !c.o.LinkKey.Ready() {
		return nil, nil
	}
	var list []Destination
	for key, served := range c.accounts.all() {
		_, leads := served.channel.(Linker)
		if leads && served.account.Owner() == conv.Affiliate && served.account.Channel != conv.Address.Channel {
			list = append(list, Destination{Key: key, Channel: served.account.Channel})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	have, err := c.store.conversations(ctx, `customer_id = $1`, conv.Customer)
	if err != nil {
		return nil, fmt.Errorf("list a customer's conversations: %w", err)
	}
	list = slices.DeleteFunc(list, func(d Destination) bool {
		return slices.ContainsFunc(have, func(h Conversation) bool { return h.Address.Channel == d.Channel })
	})
	slices.SortFunc(list, func(a, b Destination) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// Link makes a link by which the customer of a conversation goes on at the account of that key, and
// whoever opens it there is the same customer. agent offers it, "" if the customer asked by themself.
// Where no link leads it is ErrNoLink.
func (c *Conversations) Link(ctx context.Context, id ConversationID, key, agent string) (address string, err error) {
	conv, err := c.Get(ctx, id)
	if err != nil {
		return "", err
	}
	may, err := c.Destinations(ctx, conv)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(may, func(d Destination) bool { return d.Key == key }) {
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	random := rand.Text()[:linkRandom]
	mac := c.o.LinkKey.MAC(linkMessage(random, key))
	if mac == nil { // the keys have just gone
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	code := linkPrefix + random + linkSignature(mac)
	served := c.accounts.all()[key]
	linker, ok := served.channel.(Linker)
	if !ok {
		return "", fmt.Errorf("from conversation %s: %w", id, ErrNoLink)
	}
	if address, err = linker.Link(ctx, linkGreeting, code); err != nil {
		return "", fmt.Errorf("link to %s: %w", key, err)
	}
	now, to := c.o.Now(), served.account
	err = c.store.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE expires_at < $1`, now.Add(-LinkFor).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (digest, conversation_id, channel, account, agent, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			linkDigest(code), id, to.Channel, to.ID, agent, now.Add(LinkFor).UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep a link: %w", err)
	}
	return address, nil
}

// arrive redeems the code that e came by, if it is one of ours, and returns e without it. A message that
// is nothing but what the link filled in becomes the choice to go on here.
func (h *hearing) arrive(ctx context.Context, tx *sql.Tx, e Event, signer vault.Signer) (Event, error) {
	ref := ""
	switch {
	case e.Referral != nil:
		ref = e.Referral.Ref
	case e.Message != nil:
		ref = e.Message.Ref
	}
	a := h.conv.Address
	looks, signed := isLink(signer, ref, AccountKey(a.Channel, a.Account))
	if !looks {
		return e, nil
	}
	e.Referral = nil
	joined := false
	if signed {
		var err error
		if joined, err = h.redeem(ctx, tx, ref); err != nil {
			return e, err
		}
	}
	if e.Message == nil && e.Sign == nil {
		return e, nil
	}
	m := Inbound{Text: "/start"} // they opened the link in a chat they had already
	if e.Message != nil {
		m = *e.Message
	}
	if e.Message, e.Sign, m.Ref = &m, nil, ""; m.Text != "" && m.Text != "/start" && m.Text != linkGreeting {
		return e, nil // words of their own: those want an answer
	}
	if m.Choice = ChoiceLinkGone; joined {
		m.Choice = ChoiceLinked
	}
	return e, nil
}

// redeem uses a link up and joins the conversation to the customer for whom it was made. Opening it again
// in the same conversation changes nothing; the link of another affiliate's customer joins nothing.
func (h *hearing) redeem(ctx context.Context, tx *sql.Tx, code string) (joined bool, err error) {
	var from ConversationID
	var agent string
	// One statement: of two who open it at once, one finds it used.
	err = tx.QueryRowContext(ctx, `UPDATE links SET opened_by = $2 WHERE digest = $1 AND channel = $3 AND account = $4
		AND opened_by = '' AND expires_at > $5 RETURNING conversation_id, agent`,
		linkDigest(code), h.conv.ID, h.conv.Address.Channel, h.conv.Address.Account, h.now.UnixMilli()).Scan(&from, &agent)
	if errors.Is(err, sql.ErrNoRows) {
		var n int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM links l JOIN conversations c ON c.id = l.conversation_id
			WHERE l.digest = $1 AND l.opened_by = $2 AND c.customer_id = $3`, linkDigest(code), h.conv.ID, h.conv.Customer).Scan(&n)
		return n > 0, err
	}
	if err != nil {
		return false, fmt.Errorf("redeem a link: %w", err)
	}
	origin, err := scanConversation(tx.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE id = $1`, from))
	if err != nil {
		return false, fmt.Errorf("read the conversation of a link: %w", err)
	}
	if origin.Affiliate != h.conv.Affiliate || origin.ID == h.conv.ID {
		return false, nil
	}
	if origin.Customer == h.conv.Customer { // joined already
		return true, nil
	}
	if err := h.join(ctx, tx, origin.Customer, ProofLink, agent); err != nil {
		return false, err
	}
	if origin.Mode == ModePerson { // they wait for a person, who goes on here
		h.conv.Mode = ModePerson
	}
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET apart = FALSE, mode = $2 WHERE id = $1`, h.conv.ID, h.conv.Mode)
	return true, err
}
