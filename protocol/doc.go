// Package protocol is what longear nodes say to each other: messages, their
// identifiers and signatures, channels, sealed bodies, manifests of photos, direct messages, cards,
// stamps, carry files and limits.
// SPEC.md beside this file is the normative text; testdata/vectors holds the
// test vectors that every implementation runs.
//
// The words:
//
//   - A message is immutable, signed by its author and named by its ID.
//   - An author is an Ed25519 key, a pseudonym.
//   - A channel is where a message is posted.
//   - A stamp is proof of work in an ID.
//   - A verdict is what a node makes of bytes it was given.
//
// Invariants: a *Message exists only after its signature was made or checked
// here (or, for Restore, when its bytes hash to an ID that was checked before);
// a message has exactly one encoding; no verdict depends on a clock, a network
// or anything but the bytes. The package reads no clock, opens no file, logs
// nothing and starts no goroutine. All it takes from outside is randomness for new
// keys and nonces.
package protocol
