package reconcile

// Limits of the protocol and of the work done for a peer. LeafSize is part of every hash: two nodes that
// disagree on it never agree on a root. The others bound what is accepted and what is sent.
const (
	// LeafSize is the largest number of keys that lie in one leaf. A prefix with more keys under it is an inner node.
	LeafSize = 16

	// MaxMessage is the largest encoded message in bytes, sent or accepted.
	MaxMessage = 64 << 10

	// MaxItems is the largest number of items in a message.
	MaxItems = 4096

	// MaxList is the largest number of short IDs in one list, offer or want.
	MaxList = 4096

	// MaxSteps is the largest number of messages in a round, both ways together. Honest peers need fewer than 12: each
	// message descends at least one nibble, and the skipping of chains makes shared prefixes cheap.
	MaxSteps = 40

	// MaxMatch is the largest number of keys under a prefix in which [Match] looks for short IDs.
	MaxMatch = 2 * MaxList

	// maxReads bounds node loads and key scans made for one message. An honest full message needs about 64 KiB / 69 B
	// expansions of 17 reads each, 16 thousand.
	maxReads = 20_000

	// maxScan bounds keys visited for one message: what a message can list (16 thousand) on both sides, with room.
	maxScan = 8 * MaxMatch

	// maxRefused bounds refused keys visited for one message: a node remembers its dead for long, and a small set is listed whole.
	maxRefused = 4 * maxScan

	// maxWants bounds the short IDs and prefixes waiting to be drained by Wants, should the caller not drain.
	maxWants = 64 << 10

	// maxSettled bounds the remembered pairs of unequal hashes with nothing to give each other.
	maxSettled = 4096
)
