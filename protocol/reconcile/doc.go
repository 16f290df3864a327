// Package reconcile finds out, in few bytes and few round trips, which messages each of two peers lacks.
//
// A node keeps its messages' keys in order (rank, created, ID) and over them a radix-16 hash trie: see [Key], [Prefix]
// and [Node]. The shape and every hash of the trie are functions of the set alone, so two equal sets have equal roots however they
// were built, and nobody can make two different sets agree without a SHA-256 collision. [Fold] keeps the stored trie in step
// with the keys.
//
// A [Session] compares two such tries over one link: bytes in, bytes out. What travels is a few bytes of each hash, salted
// per link, so that a chance match of the short forms lasts no longer than the salt and cannot be prepared.
//
// The package does no I/O and knows no clock, goroutine or log. It never decides what is deleted, and never trusts a count
// or a prefix that a peer merely claims: the work done for one message from a peer is bounded (see the limits).
//
// The byte layouts are normative in protocol/SPEC.md, "The ordered set and its trie" and "Reconciliation messages".
package reconcile
