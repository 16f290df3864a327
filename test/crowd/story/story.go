// Package story reads scenario files: networks told as a story, one step a line. Help tells the whole language; Parse
// checks what a file can say wrong by itself, so that a runner meets only steps that make sense: nodes first and once, at
// most one way to meet (a story that says none means full), numbers of nodes that there are, and so on.
package story

import "time"

// Story is a scenario file.
type Story struct {
	File  string // as it was given, so that an editor finds it
	Name  string // of the file, without its ending
	Steps []Step
}

// What a radio carries when nothing is said of it.
const (
	UsualRate    = 20_000_000 // bits a second
	UsualLatency = 5 * time.Millisecond
)

// Step is one line.
type Step struct {
	Line int
	Text string // as it stands in the file, without the comment
	Do   any    // one of the types below
}

// Who names nodes: numbers from 0, all of them, or a share chosen by the run's seed.
type Who struct {
	All   bool
	Nodes []int
	Share float64 // 0 < Share <= 1: so much of the phones, chosen by the seed; hubs are never in a share; 1 is all phones
	Hubs  bool    // all hubs
}

// What a step can say. Nodes come first, before anything moves or is said.
type (
	// Nodes makes phones: nodes 0 to N-1. The first step of every story. `nodes 300`
	Nodes struct{ N int }
	// Hubs adds nodes with the hub profile, which do not move: numbers N and up. `hubs 3`
	Hubs struct{ N int }
	// Radio sets what radios carry: everybody's, or from now on those of some. A link is as slow, as long and as lossy as the worse of its
	// two ends. `radio 20Mbit/s 5ms loss 1%`, `radio 50kbit/s 40ms loss 5% of n3`
	Radio struct {
		BitsPerSecond int           // each way, shared by all links
		Latency       time.Duration // one way
		Loss          float64       // of packets, 0 to 1
		Who           Who
		Some          bool // of WHO was said
	}
	// Stand puts everybody somewhere for good. `stand crowd 100m x 100m range 30m`
	Stand struct{ Width, Height, Range float64 }
	// Walk is random waypoint. `walk crowd 500m x 500m 1.4m/s range 40m pause 60s`
	Walk struct {
		Width, Height, Speed, Range float64
		Pause                       time.Duration // the longest stay at a waypoint, 0 for none
	}
	// Streams is two squares too far apart for radio with people going to and fro between them; the rest stay in
	// their square. `streams 2 squares 100m x 100m apart 500m mules 10 1.4m/s range 40m`
	Streams struct {
		Width, Height, Apart float64
		Mules                int
		Speed, Range         float64
	}
	// Full links everybody with everybody. `full`
	Full struct{}
	// Ring links each node to so many neighbours on either side. `ring 4`
	Ring struct{ Each int }
	// Trace replays contacts from a file. `trace one contacts.txt` or `trace pairs SFHH_tij.dat.gz every 20s`
	Trace struct {
		Format string // one or pairs
		File   string // relative to the story, or after $NAME/ of an environment variable
		Every  time.Duration
	}
	// WifiDirect puts nodes in reach of each other into Wi-Fi Direct groups, as their agents decide, in place of linking
	// them all. `wifi-direct places 8 hubs 16 battery`
	WifiDirect struct {
		Places, Hubs int  // how many may join a phone's group, and a hub's
		Battery      bool // phones run on batteries: their radios seek now and then only
	}
	// Split cuts every link between two groups until Join. `split 50 50`, `split 50% 50%` or `split n0-n49 n50-n99`. Nodes
	// not named are a group of their own, hubs too where numbers or shares of phones are given.
	Split struct{ Groups [][]int }
	// Join ends Split and Wall. `join`, or `join n3 n7`: a single link across the split, whatever the places.
	Join struct {
		Single bool
		A, B   int
	}
	// Wall is a line that radio does not cross. Several add up. `wall 0,0 250,500`
	Wall struct{ X1, Y1, X2, Y2 float64 }
	// Crash ends nodes without a goodbye; their stores stay. `crash n7`
	Crash struct{ Who Who }
	// Restart starts crashed nodes with the stores they had. `restart n7`
	Restart struct{ Who Who }
	// Late keeps nodes out until Enter. `late n90-n99`
	Late struct{ Who Who }
	// Enter brings late nodes in. `enter all`
	Enter struct{ Who Who }
	// Churn crashes and restarts phones at random from now on. `churn 30%/min`; `churn off`
	Churn struct{ PerMinute float64 }
	// Doze makes nodes deaf for a share of the time from now on: radio off, node running. `doze all 80% of 60s`
	Doze struct {
		Who   Who
		Share float64
		Cycle time.Duration
	}
	// Skew sets nodes' clocks off, from now on. `skew n9 +3h`, `skew 50% -10y..+10y`
	Skew struct {
		Who      Who
		From, To time.Duration // equal for one value; else chosen by the seed
	}
	// Mute makes nodes take and never forward: gossip hears of nothing from them, and what they are asked for in sync is empty, their own
	// messages too. `mute 10%`
	Mute struct{ Who Who }
	// Lie makes nodes lie in sync, to each peer in a way of its own: they withhold, offer what nobody has, say that all is equal, answer
	// nothing, repeat themselves and break frames. They gossip like anybody. `lie 10%`. Or all that they do is tell wrong ages, in gossip too:
	// each of half of all messages that it is about to die, of the others that they are new. `lie 10% about ages`
	Lie struct {
		Who  Who
		Ages bool
	}
	// Flood lets a node publish so many messages a second, from now on, with ever new keys. `flood n13 500/s`; `flood off`
	Flood struct {
		Node int
		Rate float64
	}
	// Publish posts once, or Count times evenly over a time, from one node or from phones chosen by the seed.
	// `publish n3 "water at gate 4"`, `publish 200 over 30m`, `publish 5000 from n0-n49`, `publish 10 alerts over 5m`.
	// Without from, From is the phones (Share 1).
	Publish struct {
		From  Who
		Text  string
		Count int
		Over  time.Duration // posted in the background while the story goes on with advance
		Alert bool
		Size  int // bytes of text, 0 for about 100
		Life  time.Duration
	}
	// Advance lets time pass. `advance 2h`
	Advance struct{ For time.Duration }
	// Expect waits until it is so, or fails the run.
	// `expect all within 30s`: every node up has every live message published.
	// `expect carried within 10m`: every node has what the oracle says it can have.
	// `expect 99% of oracle`: of all deliveries the oracle made, so many were made.
	// `expect median 1.25x of oracle plus 5s`.
	// `expect nobody n4`: a node has none of the messages published since it was cut off.
	// `expect grouped 80%`: nodes were in a group with somebody else for so much of the time that they ran.
	// `expect takeovers 1`, `expect ferries 3`: the agents did so at least so often.
	// `expect copies 2.5`: so often a message was received for each delivery, at most.
	// `expect bytes 3.5`: so many bytes of gossip and sync were sent for each byte of the messages delivered, at most.
	// `expect repeated 1.3x`: bytes of messages that were there already, for each byte that was missing at the last join and
	// came since; where there was no join, since the beginning; at most.
	Expect struct {
		What   string // all, carried, share, median, nobody, grouped, takeovers, ferries, copies, bytes, repeated, kept
		Within time.Duration
		Share  float64
		Factor float64 // of median; the most copies, bytes or repeated bytes
		Plus   time.Duration
		Who    Who
		Count  int
	}
)
