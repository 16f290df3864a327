// Package report tells what a crowd did: as text, as JSON, and as one HTML page that loads nothing.
package report

import "time"

// Report is one run. Durations are in nanoseconds, of virtual time but for real and cpu; sizes are in bytes, shares between 0
// and 1. The JSON names are stable, and `crowdsim --json` writes them.
type Report struct {
	Story   string        `json:"story"`
	Seed    uint64        `json:"seed"`
	Nodes   int           `json:"nodes"` // phones and hubs
	Hubs    int           `json:"hubs"`
	Cut     bool          `json:"cut,omitempty"`    // interrupted before its end
	CutAt   int           `json:"cut_at,omitempty"` // in this line of the story
	Virtual time.Duration `json:"virtual"`
	Real    time.Duration `json:"real"`
	CPU     time.Duration `json:"cpu"`
	Memory  int64         `json:"peak_memory"` // bytes resident at the worst; 0: not known on this system, or hidden by a greater run before in the process

	// Expected is how many expectations the story has, and Looked how many of them were looked at: all, unless it was cut.
	Expected int      `json:"expected"`
	Looked   int      `json:"looked_at"`
	Failed   []string `json:"failed"` // expectations and invariants that did not hold

	Messages   int          `json:"messages"`
	Shortened  int          `json:"shortened,omitempty"` // messages of a trace that were longer than may be
	Deliveries int          `json:"deliveries"`          // message and node that was not its author's: of those that the oracle made too
	Extra      int          `json:"extra"`               // deliveries beyond the oracle's, as over a liar, who gossips like anybody
	Pairs      int          `json:"pairs"`               // of a message and a node that it was for
	Possible   int          `json:"possible"`            // of them by the oracle
	Latency    Quantiles    `json:"latency"`             // of deliveries
	Oracle     Quantiles    `json:"oracle_latency"`
	Curve      []CurvePoint `json:"curve"`     // delivered share over time since publishing
	Histogram  []Bin        `json:"histogram"` // of latencies
	Hops       []int        `json:"hops"`      // deliveries by the number of links crossed, from 0

	// Copies are bodies received for each delivery: 1 is the least.
	Copies float64 `json:"copies"`
	// Bytes are means per node over the whole run.
	Bytes     Bytes             `json:"bytes_per_node"`
	Payload   float64           `json:"payload_per_node"` // bytes of the messages that came to a node, a flooder's too
	Traffic   []TrafficPoint    `json:"traffic"`          // all nodes together, over time
	Refused   map[string]uint64 `json:"refused"`          // by verdict, all nodes together
	Contacts  int               `json:"contacts"`         // links that came up
	Connected int               `json:"connected"`        // of them, on which the nodes connected
	Groups    *Groups           `json:"groups,omitempty"`
	Replay    *Replay           `json:"replay,omitempty"`
}

// Quantiles of durations.
type Quantiles struct {
	P50  time.Duration `json:"p50"`
	P90  time.Duration `json:"p90"`
	P99  time.Duration `json:"p99"`
	Last time.Duration `json:"last"`
}

// CurvePoint is the share of all (message, node) pairs delivered so long after publishing, here and by the oracle.
type CurvePoint struct {
	After  time.Duration `json:"after"`
	Share  float64       `json:"share"`
	Oracle float64       `json:"oracle"`
}

// Bin counts the deliveries that took at most so long and longer than the bin before.
type Bin struct {
	UpTo time.Duration `json:"up_to"`
	N    int           `json:"n"`
}

// Bytes by kind. Repeated is the part of Gossip and Sync that carried messages the receiver had already.
type Bytes struct {
	Gossip    float64 `json:"gossip"`
	Sync      float64 `json:"sync"`
	Discovery float64 `json:"discovery"` // dials, handshakes, identify, keep-alives: all packets that are neither
	Repeated  float64 `json:"repeated"`
}

// TrafficPoint is what was sent since the point before.
type TrafficPoint struct {
	At        time.Duration `json:"at"`
	Gossip    int64         `json:"gossip"`
	Sync      int64         `json:"sync"`
	Discovery int64         `json:"discovery"`
}

// Replay is the crowd as a film. HTML thins it so that a page stays under about 10 MB; JSON holds all of it (see Thin).
type Replay struct {
	Width    float64  `json:"width"` // metres
	Height   float64  `json:"height"`
	Wall     [][4]int `json:"walls,omitempty"` // metres: x and y of one end, then of the other
	Frames   []Frame  `json:"frames"`
	Messages []Film   `json:"messages"`
	Hub      []int    `json:"hubs,omitempty"` // numbers of the hubs
}

// Frame is one moment: each node's place in decimetres (x then y; empty if places are not known), its state, and the links.
type Frame struct {
	At    time.Duration `json:"at"`
	Place []int         `json:"place"`
	State string        `json:"state"` // a letter a node: u up, d down, z dozing, m mute, l liar, f flooder
	Links []int         `json:"links"` // pairs
	// Owner is by node whose group it is in, itself included, -1 none; empty where there are no groups.
	Owner []int `json:"owner,omitempty"`
}

// Film is one message: who had it when. Times count from the start of the run.
type Film struct {
	Text   string          `json:"text"`
	From   int             `json:"from"`
	At     time.Duration   `json:"at"`
	Nodes  []int           `json:"nodes"`
	Times  []time.Duration `json:"times"`  // when each of Nodes had it
	Parent []int           `json:"parent"` // from which node each had it, -1 unknown
}
