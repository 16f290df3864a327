package api

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"longear/protocol"
	"longear/store"
)

// Desk is where the person of this node writes and reads: it holds the keys. It signs and seals what is
// written, and opens what is sealed to the person or to a channel whose key is held. It is safe for
// concurrent use and sends nothing by itself.
type Desk struct {
	key     ed25519.PrivateKey
	seal    *protocol.SealKey
	card    protocol.Card
	rooms   rooms
	letters *letters
	now     func() time.Time
}

// DeskConfig is what a Desk is made from. NewDesk copies it.
type DeskConfig struct {
	Key     ed25519.PrivateKey // author that signs; required
	Seal    *protocol.SealKey  // opens direct messages; required
	Keyring *store.Keyring     // known channels; required
	Letters string             // file that remembers for whom direct messages were, see letters; "" remembers in memory
	Now     func() time.Time   // nil: the real clock
}

// NewDesk makes a Desk.
func NewDesk(c DeskConfig) (*Desk, error) {
	if c.Keyring == nil || c.Seal == nil {
		return nil, errors.New("desk: keyring or seal key missing")
	}
	card, err := protocol.NewCard(c.Key, c.Seal.Public())
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	letters, err := openLetters(c.Letters, c.Key)
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Desk{key: c.Key, seal: c.Seal, card: card, rooms: newRooms(c.Keyring), letters: letters, now: c.Now}, nil
}

// Card is how others write to this person.
func (d *Desk) Card() protocol.Card { return d.card }

// Write makes the signed message of a post. Nothing is stored or sent yet.
func (d *Desk) Write(ctx context.Context, p Post) (*protocol.Message, error) {
	if strings.TrimSpace(p.Text) == "" {
		return nil, Fail(Usage, "the message is empty", "give it a text")
	}
	draft, err := d.draft(p)
	if err != nil {
		return nil, err
	}
	switch {
	case p.To != "" && p.Channel != "":
		return nil, Fail(Usage, "a message goes to a channel or to a person, not both", "leave one out")
	case p.To != "":
		return d.writeDirect(ctx, p, draft)
	case p.Channel == "":
		return nil, Fail(Usage, "a message needs a channel or a card", "name one, such as '#all'")
	}
	return d.writeChannel(ctx, p, draft)
}

// draft is what both kinds of message have in common.
func (d *Desk) draft(p Post) (protocol.Draft, error) {
	none := protocol.Draft{}
	switch {
	case !utf8.ValidString(p.Text):
		return none, Fail(Usage, "the text is not UTF-8", "convert it first, or send it as a file: --file")
	case p.Lifetime < 0 || p.Lifetime > int64(protocol.MaxLifetime/time.Second):
		return none, Fail(Usage, fmt.Sprintf("a lifetime of %d seconds", p.Lifetime), fmt.Sprintf("at most %v; 0 is %v", protocol.MaxLifetime, protocol.DefaultLifetime))
	case p.Stamp < 0 || p.Stamp > maxStamp:
		return none, Fail(Usage, fmt.Sprintf("a stamp of %d bits", p.Stamp), fmt.Sprintf("0 to %d; each bit doubles the work", maxStamp))
	case len(p.Parents) > protocol.MaxParents:
		return none, Fail(Usage, fmt.Sprintf("%d parents", len(p.Parents)), fmt.Sprintf("at most %d", protocol.MaxParents))
	}
	draft := protocol.Draft{Created: d.wallMillis(), Lifetime: uint32(p.Lifetime)}
	var err error
	if draft.Kind, draft.Body, err = bodyOf(p); err != nil {
		return none, err
	}
	if p.Alert {
		draft.Class = protocol.Alert
	}
	if p.Local {
		draft.Flags |= protocol.LocalOnly
	}
	for _, s := range p.Parents {
		id, err := protocol.ParseID(s)
		if err != nil {
			return none, Fail(Usage, "a parent: "+err.Error(), "give whole message IDs")
		}
		draft.Parents = append(draft.Parents, id)
	}
	return draft, nil
}

// maxStamp bounds the work one request may ask of the machine: minutes of one core.
const maxStamp = 28

// wallMillis is the clock's claim, 0 when it is before 1970.
func (d *Desk) wallMillis() uint64 {
	return uint64(min(max(d.now().UnixMilli(), 0), protocol.MaxCreated))
}

func (d *Desk) writeChannel(ctx context.Context, p Post, draft protocol.Draft) (*protocol.Message, error) {
	room, err := d.rooms.named(p.Channel)
	if err != nil {
		return nil, err
	}
	draft.Channel = room.Tag
	most := protocol.MaxBody
	if room.Key != nil {
		most = protocol.MaxSealedText
	}
	if len(draft.Body) > most {
		return nil, tooLong(len(draft.Body), most)
	}
	if room.Key != nil {
		if draft.Body, err = room.Key.Seal(d.card.Author(), string(draft.Body)); err != nil {
			return nil, err
		}
	} else {
		d.rooms.remember(room)
	}
	return protocol.Mint(ctx, d.key, draft, p.Stamp)
}

// writeDirect seals a text to the owner of a card. The writer's own card is its last line: without it nobody
// could answer or say that it was read, since no key of a person is ever published.
func (d *Desk) writeDirect(ctx context.Context, p Post, draft protocol.Draft) (*protocol.Message, error) {
	to, err := protocol.ParseCard(p.To)
	if err != nil {
		return nil, Fail(Usage, err.Error(), "a card is what \"longear key show\" prints on the other side, longear:...")
	}
	if p.Alert {
		return nil, Fail(Usage, "a direct message cannot be an alert", "leave the alert out: direct messages travel as text")
	}
	if draft.Kind != protocol.Post {
		return nil, Fail(Usage, "a "+p.Kind+" goes to a channel, not to a person", "name a channel, such as '#all'")
	}
	draft.Body = []byte(p.Text + "\n" + d.card.String())
	if most := protocol.MaxDirectText - len(d.card.String()) - 1; len(p.Text) > most {
		return nil, tooLong(len(p.Text), most)
	}
	m, err := protocol.SealDirect(ctx, d.key, to, draft, p.Stamp)
	if err != nil {
		return nil, err
	}
	return m, d.letters.wrote(m.ID, to.Author())
}

// receipt makes the message that tells the author of a direct message that it was read. Nil: it was told before.
func (d *Desk) receipt(ctx context.Context, m *protocol.Message) (*protocol.Message, error) {
	p, err := protocol.OpenDirect(d.seal, m)
	if err != nil {
		return nil, Fail(NotFound, "this message is not for this reader", "")
	}
	_, card := splitCard(p)
	if p.Kind() != protocol.Post || card == (protocol.Card{}) {
		return nil, Fail(Usage, "this message has no card to answer to", "")
	}
	// A letter from m to ourselves stands for "the receipt is written": one is enough.
	if d.letters.isFor(m.ID, d.card.Author()) {
		return nil, nil
	}
	r, err := protocol.SealDirect(ctx, d.key, card, protocol.Draft{
		Created: d.wallMillis(), Kind: protocol.Receipt, Parents: []protocol.ID{m.ID},
	}, 0)
	if err != nil {
		return nil, err
	}
	return r, d.letters.wrote(m.ID, d.card.Author())
}

func tooLong(got, most int) error {
	return Fail(Usage, fmt.Sprintf("the text has %d bytes, at most %d fit", got, most), "shorten it, or send it in parts")
}

// Read shows an entry of the store. What cannot be opened with the keys held here has no text and says Sealed.
func (d *Desk) Read(e store.Entry) Message {
	m := e.Message
	out := Message{
		Type: "message", ID: m.ID.String(), Channel: d.rooms.name(m.Channel), Tag: m.Channel.String(),
		Author: m.Author.String(), Created: stampTime(m.Created), Received: rfc3339(e.Received),
		Kind: m.Kind.String(), Class: m.Class.String(), Parents: idStrings(m.Parents), Verified: true, Own: e.Own,
		Stamp: protocol.Stamp(m.ID), Age: int64(e.Age / time.Second), Expires: int64(e.Expires / time.Second),
		Local: m.Flags&protocol.LocalOnly != 0,
	}
	p, sealed := d.open(m)
	switch {
	case p != nil:
		text, card := splitCard(p)
		out.Private, out.Author, out.Created = true, p.Author().String(), stampTime(p.Created())
		out.Kind, out.Parents = p.Kind().String(), idStrings(p.Parents())
		explain(&out, p.Kind(), []byte(text))
		if card != (protocol.Card{}) {
			out.Card = card.String()
		}
	case sealed || maySealed(m):
		out.Sealed = true
	default:
		explain(&out, m.Kind, m.Body)
	}
	d.readMedia(&out, m)
	return out
}

// open tries the key that may fit. sealed reports that the channel's messages are sealed, whether one opened or not:
// plain bytes in a sealed channel are never shown as if a member had written them.
func (d *Desk) open(m *protocol.Message) (p *protocol.Private, sealed bool) {
	var err error
	if m.Channel == protocol.DirectChannel() {
		p, err = protocol.OpenDirect(d.seal, m)
	} else if room, known := d.rooms.ring.At(m.Channel); known && room.Key != nil {
		p, err = room.Key.Open(m)
	} else {
		return nil, false
	}
	if err != nil {
		return nil, true
	}
	return p, true
}

// maySealed reports whether a body is one of a sealed channel whose key is not held here: those can be told only by being noise.
func maySealed(m *protocol.Message) bool {
	switch m.Kind {
	case protocol.Response:
		return len(m.Body) > protocol.MaxAnswer
	case protocol.KindPoll:
		_, ok := protocol.ParsePoll(m.Body)
		return !ok && !utf8.Valid(m.Body)
	}
	return !utf8.Valid(m.Body) || strings.ContainsRune(string(m.Body), 0)
}

// bodyOf is the kind of a post and its body.
func bodyOf(p Post) (protocol.Kind, []byte, error) {
	switch {
	case p.Alert && p.Kind != "":
		return 0, nil, Fail(Usage, "a "+p.Kind+" cannot be an alert", "leave the alert out: what is urgent is a post")
	case p.Kind != "poll" && p.Poll != nil:
		return 0, nil, Fail(Usage, "only a poll has options", `"kind": "poll"`)
	case p.Kind == "":
		return protocol.Post, []byte(p.Text), nil
	case p.Kind == "petition":
		return protocol.KindPetition, []byte(p.Text), nil
	case p.Kind != "poll" || p.Poll == nil:
		return 0, nil, Fail(Usage, fmt.Sprintf("nothing of kind %q is written like this", p.Kind), "petition, poll (with its options), or nothing for a post")
	case p.Poll.Most < 0 || p.Poll.Most > protocol.MaxOptions:
		return 0, nil, Fail(Usage, fmt.Sprintf("a poll in which one may choose %d", p.Poll.Most), fmt.Sprintf("1 to %d", protocol.MaxOptions))
	}
	body, err := protocol.AppendPoll(nil, protocol.Poll{Question: p.Text, Options: p.Poll.Options, Most: uint8(p.Poll.Most)})
	if err != nil {
		return 0, nil, Fail(Usage, err.Error(), fmt.Sprintf("%d to %d options of at most %d bytes", protocol.MinOptions, protocol.MaxOptions, protocol.MaxOption))
	}
	return protocol.KindPoll, body, nil
}

// splitCard takes the author's card off the end of a direct message. A card of anybody else stays text.
func splitCard(p *protocol.Private) (string, protocol.Card) {
	text := p.Text()
	at := strings.LastIndexByte(text, '\n')
	if at < 0 {
		return text, protocol.Card{}
	}
	card, err := protocol.ParseCard(text[at+1:])
	if err != nil || card.Author() != p.Author() {
		return text, protocol.Card{}
	}
	return text[:at], card
}

func idStrings(ids []protocol.ID) []string {
	out := make([]string, len(ids))
	for i := range ids {
		out[i] = ids[i].String()
	}
	return out
}

// stampTime shows an author's clock: "" for unknown, and for years that RFC 3339 cannot write.
func stampTime(ms uint64) string {
	if ms == 0 {
		return ""
	}
	return rfc3339(time.UnixMilli(int64(ms)))
}

func rfc3339(t time.Time) string {
	t = t.UTC()
	if t.IsZero() || t.Year() > 9999 {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
