package protocol

import "time"

// Limits of the wire format, the same for every node: SPEC.md section 2. They are
// protocol constants, not settings: two nodes that disagreed about one of them would
// disagree about whether a message is valid, and one would ban the other for it.
const (
	// MaxBody is the largest body of one message in bytes.
	MaxBody = 32 << 10

	// MaxMessage is the largest encoded message in bytes, signature included: MaxBody
	// and every other field at its longest (289 bytes), rounded up.
	MaxMessage = MaxBody + 512

	// MinMessage is the smallest encoded message: author, channel and signature.
	MinMessage = 34 + 18 + signatureField

	// MaxParents bounds the messages that one message may name as its causes.
	MaxParents = 4

	// MaxKind and MaxFlags bound the two small integers.
	MaxKind  = 1<<16 - 1
	MaxFlags = 1<<16 - 1

	// MaxCreated bounds the author's clock, in ms since 1970: 48 bits, until the year 10889.
	MaxCreated = 1<<48 - 1

	// DefaultLifetime is what a message that states no lifetime asks for.
	DefaultLifetime = 7 * 24 * time.Hour

	// MaxLifetime is the longest a message may ask to live.
	MaxLifetime = 14 * 24 * time.Hour

	// Remember is how long a node remembers the ID of a message that died here.
	// A copy can be prolonged by at most one lifetime at each node that lies about its age,
	// so twice the maximum keeps the dead from returning.
	Remember = 2 * MaxLifetime

	// MaxFrame is the largest frame of the sync protocol and the largest gossip RPC, in bytes.
	// It holds any message with room for its framing.
	MaxFrame = 128 << 10

	// MaxChannelName is the longest name of a public channel in bytes of UTF-8.
	MaxChannelName = 64

	// signatureField is the encoded signature: tag, length, 64 bytes.
	signatureField = 2 + 64
)
