// Package guest is what phones with nothing installed may ask of a hub: HTTP for anybody who can join its Wi-Fi.
//
//	GET  /guest/state           one honest line about the hub, and its limits
//	GET  /guest/channels        channels by tag, with counts
//	GET  /guest/messages        ?channel= &since= &limit=, or ?id=: signed messages as bytes, newest first
//	GET  /guest/events          messages as they arrive (server-sent events)
//	GET  /guest/carried         by how many neighbours what guests brought is kept
//	POST /guest/messages        records: messages that the guest's page signed, or carries for others
//	POST /guest/sync/{session}  reconciliation: who lacks what, and its exchange
//	GET  /                      the board, as a page without script
//	GET  /page/{file}           the page with script, if it was built
//	POST /post                  a form, if the operator allows forms
//	GET  /signin, POST /signin  the page of the phone's sign-in window
//
// and the probes by which phones find out whether a network has internet; see portal.go. node/api/GUEST.md has the bytes of each
// route with a command to try it.
//
// A guest is whoever asks from one source address. Everything about guests is in memory, bounded, and forgotten within hours:
// a seized hub does not tell who was there. No answer and no log line holds an address.
//
// What it will not do: it does not sign for a guest as if it were a person (see form.go), it does not open what is sealed, it
// knows nothing of the operator's keys, channels or API, and it trusts no header about who is asking. What a guest brings
// passes the node's one door and spends that guest's budget.
package guest
