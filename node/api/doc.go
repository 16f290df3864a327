// Package api is what other programs on this machine may ask of a running node: HTTP
// over a Unix socket and, only when asked for, over loopback TCP.
//
// The socket is the key: whoever can open it (mode 0600) may use everything. Over TCP
// any page in the user's browser can knock, so there a request needs a bearer
// token in a header, a Host from a list of three and no foreign Origin; see guard.go. On both,
// nothing changes state but POST and DELETE, and a POST says that it is JSON (or a carry file),
// which no page can do without asking first.
//
// The shapes are one JSON object per thing, named by "type"; a stream is one object a line.
// Fields are only ever added. This package holds the person's keys (Desk): it signs what is
// written and opens what is sealed to this person. The node beneath it only carries.
//
// It keeps no state of its own, never writes to the store but through the node, and
// serves no guests: those have another listener with other rights.
package api
