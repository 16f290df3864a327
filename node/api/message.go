package api

import "longear/node"

// Message is a message as programs get to see it. Names are never part of it: an author is a key.
type Message struct {
	Type     string   `json:"type"` // always "message"
	ID       string   `json:"id"`
	Channel  string   `json:"channel"` // "#name" public, "name" sealed, "@" direct, or the tag when the name is not known here
	Tag      string   `json:"tag"`
	Author   string   `json:"author"`  // of what was sealed, if it could be opened
	Created  string   `json:"created"` // by the author's clock: a claim. RFC 3339, or "" for unknown
	Received string   `json:"received"`
	Text     string   `json:"text"` // of a poll the question; of a response ""
	Kind     string   `json:"kind"` // "post", "response", "petition", "poll" and others
	Class    string   `json:"class"`
	Parents  []string `json:"parents"`
	Verified bool     `json:"verified"` // always true: nothing else is kept
	Private  bool     `json:"private"`  // was sealed, and opened with a key held here
	Sealed   bool     `json:"sealed"`   // cannot be read with the keys held here; the text is empty
	Own      bool     `json:"own"`
	Delivery string   `json:"delivery"` // of own messages: "kept here", "carried by N", "seen", "expired"
	Stamp    int      `json:"stamp"`    // leading zero bits of the ID
	Age      int64    `json:"age_seconds"`
	Expires  int64    `json:"expires_seconds"`      // from now, here
	Card     string   `json:"reply_card,omitempty"` // of a direct message's author, to answer it
	Local    bool     `json:"local_only,omitempty"` // never leaves over a link that is not local
	Muted    bool     `json:"muted,omitempty"`      // of a muted author: shown only to who asks for it by its ID
	Said
	File *File `json:"file,omitempty"` // of a photo or file, whose caption is the text
}

// Post is a request to write a message: to a channel or to the owner of a card.
type Post struct {
	Channel  string   `json:"channel,omitempty"` // "#name" for public, "name" for one whose key is held here
	To       string   `json:"to,omitempty"`      // a card
	Text     string   `json:"text"`
	Alert    bool     `json:"alert,omitempty"`
	Lifetime int64    `json:"lifetime_seconds,omitempty"` // 0: the default
	Stamp    int      `json:"stamp,omitempty"`            // bits of work to put into the ID
	Local    bool     `json:"local_only,omitempty"`
	Parents  []string `json:"parents,omitempty"` // whole IDs of what it answers
	Kind     string   `json:"kind,omitempty"`    // "" is a post; "petition", "poll"
	Poll     *Poll    `json:"poll,omitempty"`    // of a poll, whose text is the question
}

// Channel is a place messages are posted in, known by name or only seen.
type Channel struct {
	Type     string `json:"type"` // always "channel"
	Name     string `json:"name"` // "" when only seen
	Tag      string `json:"tag"`
	Kind     string `json:"kind"` // "public", "open-secret", "private", "direct" or "unknown"
	Joined   bool   `json:"joined"`
	Messages int    `json:"messages"`
	Newest   string `json:"newest"` // RFC 3339, or ""
	// Key is set in the one answer to who just made a channel: the key, or the passphrase, to hand to others.
	Key string `json:"key,omitempty"`
}

// Join is a request to hold a channel's key, or to make one.
type Join struct {
	Name       string `json:"name"`
	Passphrase string `json:"passphrase,omitempty"`
	Key        string `json:"key,omitempty"`
	New        bool   `json:"new,omitempty"` // makes a key, or with a passphrase refuses one that can be guessed
}

// Connect is a request to dial an address.
type Connect struct {
	Addr string `json:"addr"`
}

// Done is the answer to a request that has no other.
type Done struct {
	Type string `json:"type"` // always "done"
}

// CarryReport says what became of the messages of a carry file.
type CarryReport struct {
	Type string `json:"type"` // always "carry"
	node.Imported
	Damage []string `json:"damage,omitempty"` // where the file was damaged, at most maxDamage places
}

// StatusReport is a node in numbers.
type StatusReport struct {
	Type string `json:"type"` // always "status"
	node.Status
	// PerMinute is how many messages were new here in each minute of the last hour, by way, the oldest first.
	PerMinute map[string][]uint32 `json:"per_minute,omitempty"`
}

// PeerReport is one connected peer.
type PeerReport struct {
	Type string `json:"type"` // always "peer"
	node.Peer
}

// LifeReport is what this node knows of one message's travel.
type LifeReport struct {
	Type    string    `json:"type"` // always "life"
	Message Message   `json:"message"`
	Life    node.Life `json:"life"`
}
