// Package store is what a node keeps: messages in the order of
// reconciliation with the hash trie over them, their expiry, the IDs of the
// dead, what became of the node's own messages, and the files that hold the
// person's keys.
//
// Invariants: a message is kept at most once and is served only if its bytes
// still hash to its ID; what was acknowledged is read back until it expires, is
// evicted or is removed; a dead message does not come back for
// [protocol.Remember] of this node's running time, unless it expired of an age
// that was told and a clearly smaller one comes while a lifetime since its first
// receipt is not over; the trie a [View] shows is the trie of exactly the keys it
// shows; an answer counts as long as its response is kept; no decision but a
// display reads the wall clock.
//
// What a put costs is the number of keys it writes, so there are two for each message, its record and its ID, a third for a response, and everything
// else is one key for what a batch brings together: places on an agenda, the sheaves of channels, nodes of the trie. What is surely new
// is known from a filter in memory, without looking. keys.go is the layout on disk.
//
// There is one writer at a time, and writers that wait are committed together.
// A store runs no goroutine of its own: what must happen from time to time
// happens in [Store.Run], and a short-lived program may do without it.
package store
