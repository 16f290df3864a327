// Package web holds the two implementations of the protocol, protocol/ in Go and cmd/longear/web/src/protocol in TypeScript,
// against each other: what one writes the other reads, what one refuses the other refuses for the same reason, and where
// both choose what to say in a reconciliation they say the same bytes.
//
// Everything is in the tests. They need node, and the packages that `make web` fetches; without them they skip and say what
// is missing.
package web
