package protocol

// Verdict is what a node makes of bytes that claim to be a message.
// The first group depends on the bytes alone and is the same on every node, whatever
// its clock or its store: only these may cost a peer its link. The second is a node's own
// choice and never the sender's fault.
type Verdict uint8

// The verdicts.
const (
	// Accept: well formed, signed, new here.
	Accept Verdict = iota

	// RejectSize: longer than MaxMessage or shorter than MinMessage.
	RejectSize
	// RejectMalformed: not the canonical encoding of a message.
	RejectMalformed
	// RejectLimit: canonical, but a field is beyond its limit.
	RejectLimit
	// RejectSignature: the signature is not the author's over these bytes.
	RejectSignature

	// IgnoreVersion: a later version of the format; dropped without blame.
	IgnoreVersion
	// IgnoreKnown: this node has the message.
	IgnoreKnown
	// IgnoreDead: this node had it and let it go (expired, evicted, removed).
	IgnoreDead
	// IgnoreExpired: its age has reached its lifetime.
	IgnoreExpired
	// IgnoreMuted: the person at this node does not want to hear this author.
	IgnoreMuted
	// IgnoreBudget: the link it came by has used its share for now.
	IgnoreBudget
	// IgnoreFull: the store has no room for it.
	IgnoreFull
	// IgnoreStore: the store failed; nothing is known about the message.
	IgnoreStore

	verdicts
)

// Verdicts lists every verdict, for counters and tables.
func Verdicts() []Verdict {
	all := make([]Verdict, verdicts)
	for i := range all {
		all[i] = Verdict(i)
	}
	return all
}

// Rejected reports whether the bytes are a protocol violation by whoever sent them.
func (v Verdict) Rejected() bool { return v >= RejectSize && v <= RejectSignature }

// Ignored reports whether the bytes are to be dropped without blame.
func (v Verdict) Ignored() bool { return v >= IgnoreVersion && v < verdicts }

var verdictNames = [verdicts]string{
	Accept:          "accept",
	RejectSize:      "reject: size",
	RejectMalformed: "reject: malformed",
	RejectLimit:     "reject: limit",
	RejectSignature: "reject: signature",
	IgnoreVersion:   "ignore: version",
	IgnoreKnown:     "ignore: known",
	IgnoreDead:      "ignore: dead",
	IgnoreExpired:   "ignore: expired",
	IgnoreMuted:     "ignore: muted",
	IgnoreBudget:    "ignore: budget",
	IgnoreFull:      "ignore: full",
	IgnoreStore:     "ignore: store",
}

// String is the verdict as logs, counters and test vectors write it.
func (v Verdict) String() string {
	if v >= verdicts {
		return "unknown verdict"
	}
	return verdictNames[v]
}
