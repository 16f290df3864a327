// Package api is what other programs on this machine may ask of a running node: HTTP over a Unix socket and, only
// when asked for, over loopback TCP.
//
//	GET    /v1/status                    a node in numbers
//	GET    /v1/peers                     connected peers, one a line
//	GET    /v1/live                      ?seen=: status, peers and, if there are any after seen, the last events in one answer
//	GET    /v1/events                    what happened lately, one a line
//	GET    /v1/store                     what takes the room in the store, by class
//	GET    /v1/doctor                    what doctor finds, one check a line
//	GET    /v1/messages                  ?channel= &history= &live=1 &responses=0: messages, one a line, oldest first
//	GET    /v1/messages/{id}             the life of a message; 4 or more characters of its ID
//	GET    /v1/messages/{id}/file        the photo or file of a message
//	GET    /v1/channels                  channels known by name or seen, one a line
//	GET    /v1/carry/out                 ?channel=: a carry file
//	POST   /v1/messages                  write a message (Post)
//	POST   /v1/messages/{id}/receipt     tell the author of a direct message that it was read
//	POST   /v1/messages/{id}/responses   answer a message (Respond); 4 or more characters of its ID
//	POST   /v1/files                     send a photo or file
//	POST   /v1/carry/in                  take a carry file in
//	POST   /v1/connect                   dial an address (Connect)
//	POST   /v1/channels                  hold a channel's key, or make one (Join)
//	DELETE /v1/channels/{name}           forget a channel
//	GET    /v1/mutes                     muted authors, one a line (Muted)
//	PUT    /v1/mutes/{author}            mute an author (Mute): a key, a card, or 4 or more characters of a key that was seen
//	DELETE /v1/mutes/{author}            hear an author again
//	POST   /v1/page                      serve the operator's page on loopback; the answer has its address
//	POST   /v1/stop                      end the node
//
// A response is a message in the stream like others, with its "answer"; the messages that it answers carry the "tally". Counts
// are of keys, not of people, and of what is kept here.
//
// What a muted author wrote is in no stream, no list and no count; asked for by its ID it is told, with "muted". Channels and the status count
// what is carried, and that it is. The list is for whoever runs the node: no guest, no peer and no file gets to see it.
//
// Answers are JSON objects named by "type"; a stream is one object a line. Failures are an Error. Fields
// are only ever added.
//
// The socket is the key: whoever can open it (mode 0600) may use everything. Over TCP any page in the user's browser
// can knock, so there a request needs a bearer token in a header, a Host from a list of three and no foreign Origin; see
// guard.go. The operator's page is served there too (loopback.go, page.go): its files are the same for everybody and need no token, which
// the page has from the fragment of the address that it was opened at. On both, nothing changes state but POST, PUT and DELETE, and the first two say that they are JSON (or a carry file), which no
// page can do without asking first. Bodies, streams and times are bounded.
//
// This package holds the person's keys (Desk): it signs what is written and opens what is sealed to this person. The
// node beneath only carries. The text of a direct message ends in a line that is its author's card, so that its reader can
// answer; the line is taken off again and shown as "reply_card".
//
// It never writes to the store but through the node (receipts apart), and it serves no guests: those have another listener
// with other rights.
package api
