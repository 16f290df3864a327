package guest

import (
	"time"
)

// What one guest, and all together, may use. A hub is a laptop: 60 phones behind one radio of some 20 Mbit/s. Each product of a
// per-guest bound and its crowd stays under the bound for all, which is what memory is counted by.
const (
	maxVisitors    = 4096            // remembered at a time, about 300 bytes each
	forgetAfter    = 4 * time.Hour   // since a guest was last seen: the portal's state and the budgets go
	presentFor     = 2 * time.Minute // a guest who asked for nothing so long is not counted as here
	maxConns       = 1024            // connections
	maxConnsEach   = 16              // browsers open 6 to one origin; a stream holds one
	maxStreams     = 512             // open event streams; each holds one connection and no buffer of its own
	maxStreamsEach = 4               // tabs
	maxBodies      = 128             // bodies being read and answers of messages being sent, of about 2 MiB at most: 256 MiB
	maxBodiesEach  = 4

	// Who asks faster than that is answered late, and whose connections are too many has them closed late: the next try then comes
	// later too. Otherwise a guest who tries again at once would cost more by being refused than by being served.
	lateBy    = 250 * time.Millisecond
	closeLate = time.Second
	maxLate   = 256 // connections that wait to be closed; more are closed at once

	// Requests of any kind: a page opens with a burst, then asks a few a minute.
	requestRate, requestBurst = 10.0, 120.0
	// Messages that a guest posts unasked. A person writes a few a minute; a page that was out of reach has a backlog.
	postRate, postBurst = 2.0, 128.0
	// Bytes of bodies and of answers that hold messages, both ways: what one guest takes of the air in the long run, and the first
	// exchange of a page that holds much.
	byteRate, byteBurst = 512.0 * (1 << 10), 8.0 * (1 << 20)
	// What a message costs that is not what it says it is, in bytes. No honest page sends one, for it checks what it carries; each costs
	// a check of a signature. So a forger gets 256 of them checked, and then 16 a second, a thousandth of a core.
	forgedCost = 32 << 10
	// What a millisecond of comparing and looking up costs, in bytes. A hostile exchange can keep a hub busy for some 40 ms a turn, an
	// honest one takes a tenth of one. So one guest gets at most 3 % of a core in the long run.
	workCost = 16 << 10
)

// Bounds of one request.
const (
	maxPostBody    = 256 << 10
	maxPostRecords = 64
	maxSyncBody    = 1 << 20
	maxFormBody    = 16 << 10
	maxFormRunes   = 1000
	maxHeader      = 8 << 10

	headerTime = 5 * time.Second  // to send a request's header
	bodyTime   = 20 * time.Second // to send its body
	answerTime = 30 * time.Second // to take the answer
	eventTime  = 10 * time.Second // to take one step of a stream: who is slower is cut
	idleTime   = time.Minute      // between two requests of a connection
	beatEvery  = 15 * time.Second // a stream that says nothing looks dead to browsers and to routers between
)

// Bounds of pages of messages.
const (
	defaultPage = 50
	maxPage     = 200
	maxPageSize = 512 << 10 // bytes of messages; the last one may go over by its own size
)

// Bounds of the ring that streams are served from. Whoever falls behind it is cut, and told to sync.
const (
	ringEvents = 2048
	ringBytes  = 4 << 20
)

// Bounds of sync sessions.
const (
	maxSessions     = 128
	maxSessionsEach = 2
	sessionLife     = time.Minute // since its last request
	pullsOpen       = 2           // of ours, in one session
	pullWants       = 512         // named in one pull
	pullShorts      = 2048
	wantsMost       = 4096    // told but not pulled yet; the next round finds the rest again
	shortsMost      = 1 << 16 // short IDs in them
	pullsEach       = 4       // of a page's in one request
	pageBytes       = 64 << 10
	answerMost      = 1 << 20 // bytes of messages in one answer
	// Read for the pulls of one request, in keys (store.View.Work). An honest page's 4 pulls name 512 wants each, under prefixes of about a hundred
	// keys, and are less work.
	workMost  = 1 << 18
	maxFrames = 64 // of a page's in one request
)
