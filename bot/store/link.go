package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/vault"
)

// A link takes a customer from one conversation to another channel and proves, by coming back there,
// that both are theirs. Its code is random, signed for the account at which it may be opened, of use
// once, for a quarter of an hour, and kept only as its digest.
const (
	// LinkFor is how long a link may be opened.
	LinkFor = 15 * time.Minute
	// linkGreeting is what our links to WhatsApp fill in before their code: the customer must send words.
	LinkGreeting = "Hi!"
	linkPrefix   = "l_"
	linkRandom   = 20 // characters of base32: 100 bits
	linkSeal     = 10 // characters of the signature: 50 bits, which only spare the table a look
)

// linkMessage is what is signed of a code: its random part and the account.
func linkMessage(random, accountKey string) string { return "link\x00" + random + "\x00" + accountKey }

// linkSignature writes a signature as it stands in a code.
func linkSignature(mac []byte) string { return base32.StdEncoding.EncodeToString(mac)[:linkSeal] }

// NewLinkCode is a new code for the account of an AccountKey, "" without keys.
func NewLinkCode(signer vault.Signer, accountKey string) string {
	random := rand.Text()[:linkRandom]
	mac := signer.MAC(linkMessage(random, accountKey))
	if mac == nil {
		return ""
	}
	return linkPrefix + random + linkSignature(mac)
}

// SaveLink stores the digest of a link's code: it was made for the customer of a conversation, may be opened at an
// account until LinkFor from now, and was offered by agent, "" if the customer asked by themself.
func (s *Store) SaveLink(ctx context.Context, code string, from bot.ConversationID, to bot.Account, agent string, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE expires_at < $1`, now.Add(-LinkFor).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (digest, conversation_id, channel, account, agent, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			linkDigest(code), from, to.Channel, to.ID, agent, now.Add(LinkFor).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a link: %w", err)
	}
	return nil
}

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

// openLink redeems the code that e came by, if it is one of ours, and returns e without it. A message that
// is nothing but what the link filled in becomes the choice to go on here.
func (c *ConversationTx) openLink(ctx context.Context, e bot.Event, signer vault.Signer) (bot.Event, error) {
	ref := ""
	switch {
	case e.Referral != nil:
		ref = e.Referral.Ref
	case e.Message != nil:
		ref = e.Message.Ref
	}
	a := c.conv.Address
	looks, signed := isLink(signer, ref, a.Key())
	if !looks {
		return e, nil
	}
	e.Referral = nil
	joined := false
	if signed {
		var err error
		if joined, err = c.redeemLink(ctx, ref); err != nil {
			return e, err
		}
	}
	if e.Message == nil && e.Interaction == nil {
		return e, nil
	}
	m := bot.Inbound{Text: "/start"} // they opened the link in a chat they had already
	if e.Message != nil {
		m = *e.Message
	}
	if e.Message, e.Interaction, m.Ref = &m, nil, ""; m.Text != "" && m.Text != "/start" && m.Text != LinkGreeting {
		return e, nil // words of their own: those want an answer
	}
	if m.Choice = bot.ChoiceLinkGone; joined {
		m.Choice = bot.ChoiceLinked
	}
	return e, nil
}

// redeemLink uses a link up and joins the conversation to the customer for whom it was made. Opening it again
// in the same conversation changes nothing; the link of another affiliate's customer joins nothing.
func (c *ConversationTx) redeemLink(ctx context.Context, code string) (joined bool, err error) {
	var from bot.ConversationID
	var agent string
	// One statement: of two who open it at once, one finds it used.
	err = c.tx.QueryRowContext(ctx, `UPDATE links SET opened_by = $2 WHERE digest = $1 AND channel = $3 AND account = $4
		AND opened_by = '' AND expires_at > $5 RETURNING conversation_id, agent`,
		linkDigest(code), c.conv.ID, c.conv.Address.Channel, c.conv.Address.Account, c.now.UnixMilli()).Scan(&from, &agent)
	if errors.Is(err, sql.ErrNoRows) {
		var n int
		err = c.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM links l JOIN conversations c ON c.id = l.conversation_id
			WHERE l.digest = $1 AND l.opened_by = $2 AND c.customer_id = $3`, linkDigest(code), c.conv.ID, c.conv.Customer).Scan(&n)
		return n > 0, err
	}
	if err != nil {
		return false, fmt.Errorf("redeem a link: %w", err)
	}
	origin, err := scanConversation(c.tx.QueryRowContext(ctx, `SELECT `+conversationColumns+conversationTables+`WHERE id = $1`, from))
	if err != nil {
		return false, fmt.Errorf("read the conversation of a link: %w", err)
	}
	if origin.Affiliate != c.conv.Affiliate || origin.ID == c.conv.ID {
		return false, nil
	}
	if origin.Customer == c.conv.Customer { // joined already
		return true, nil
	}
	if err := c.joinCustomer(ctx, origin.Customer, bot.ProofLink, agent); err != nil {
		return false, err
	}
	if origin.Mode == bot.ModePerson { // they wait for a person, who goes on here
		if err := c.setMode(ctx, bot.ModePerson); err != nil {
			return false, err
		}
	}
	_, err = c.tx.ExecContext(ctx, `UPDATE contacts SET apart = FALSE WHERE conversation_id = $1`, c.conv.ID)
	return true, err
}
