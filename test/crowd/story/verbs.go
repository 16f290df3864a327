package story

import (
	"fmt"
	"path"
	"strings"

	"longear/protocol"
)

// verb is a kind of step: the word that it begins with, how it goes on, and what reads it.
type verb struct {
	name  string
	forms []form
	read  func(*line) any
}

// form is one way to say it. Capitals stand for values, brackets for what may be left out.
type form struct{ usage, example, about string }

// verbs is the language: Parse and Help both go by it.
var verbs = []verb{
	{"nodes", []form{{"nodes N", "nodes 300", "so many phones, n0 and up; the first step"}}, func(l *line) any { return Nodes{l.count("phones", maxNodes)} }},
	{"hubs", []form{{"hubs N", "hubs 3", "nodes that stand, with the hub profile: h0 and up"}}, func(l *line) any { return Hubs{l.count("hubs", maxNodes)} }},
	{"radio", []form{{"radio RATE [LATENCY] [loss SHARE] [of WHO]", "radio 20Mbit/s 5ms loss 1%", "what radios carry; 20Mbit/s 5ms if not said"}}, readRadio},
	{"stand", []form{{"stand crowd WIDTHm x HEIGHTm range RANGEm", "stand crowd 100m x 100m range 30m", "everybody somewhere for good"}}, readStand},
	{"walk", []form{{"walk crowd WIDTHm x HEIGHTm SPEEDm/s range RANGEm [pause TIME]", "walk crowd 500m x 500m 1.4m/s range 40m", "from place to place, with stays of up to TIME"}}, readWalk},
	{"streams", []form{{"streams 2 squares WIDTHm x HEIGHTm apart APARTm mules N SPEEDm/s range RANGEm", "streams 2 squares 100m x 100m apart 500m mules 10 1.4m/s range 40m", "N go to and fro, the rest stand in their square"}}, readStreams},
	{"full", []form{{"full", "full", "each linked with each; so it is if nothing else is said"}}, func(*line) any { return Full{} }},
	{"ring", []form{{"ring N", "ring 4", "each linked with N neighbours on either side"}}, func(l *line) any { return Ring{l.count("neighbours", maxNodes)} }},
	{"trace", []form{
		{"trace one FILE", "trace one contacts.txt", fmt.Sprintf("contacts and messages in the ONE simulator's format; a message is cut to %d bytes", protocol.MaxDirectText)},
		{"trace pairs FILE every TIME", "trace pairs $DATA/SFHH_tij.dat.gz every 20s", "contacts in intervals, as SocioPatterns publishes them"},
	}, readTrace},
	{"wifi-direct", []form{{"wifi-direct places N [hubs N] [battery]", "wifi-direct places 8 hubs 16", "groups of an owner and N, no other links; or N at a hub"}}, readWifiDirect},
	{"split", []form{
		{"split N N...", "split 50 50", "no links between the first N, the next N, and the rest; or shares: 50% 50%"},
		{"split NODES NODES...", "split n0-n49 n50-n99", "no links between these groups, and the rest"},
	}, readSplit},
	{"join", []form{
		{"join", "join", "ends split and wall"},
		{"join NODE NODE", "join n3 n7", "a single link across, wherever they are"},
	}, readJoin},
	{"wall", []form{{"wall X,Y X,Y", "wall 0,0 250,500", "a line that radio does not cross"}}, readWall},
	{"crash", []form{{"crash WHO", "crash n7", "ends nodes; their stores stay"}}, func(l *line) any { return Crash{l.who()} }},
	{"restart", []form{{"restart WHO", "restart n7", "starts crashed nodes with their stores"}}, func(l *line) any { return Restart{l.who()} }},
	{"late", []form{{"late WHO", "late n90-n99", "keeps nodes out until enter"}}, func(l *line) any { return Late{l.who()} }},
	{"enter", []form{{"enter WHO", "enter all", "brings late nodes in"}}, func(l *line) any { return Enter{l.who()} }},
	{"churn", []form{
		{"churn SHARE/min", "churn 30%/min", "so many phones a minute crash and restart, from now on"},
		{"churn off", "churn off", "no more"},
	}, readChurn},
	{"doze", []form{{"doze WHO SHARE of TIME", "doze all 80% of 60s", "deaf for so much of every TIME, from now on"}}, readDoze},
	{"skew", []form{{"skew WHO TIME[..TIME]", "skew 50% -10y..+10y", "clocks off by so much, or by something between"}}, readSkew},
	{"mute", []form{{"mute WHO", "mute 10%", "take and never forward"}}, func(l *line) any { return Mute{l.who()} }},
	{"lie", []form{{"lie WHO [about ages]", "lie 10%", "lie in sync, in all ways; or of ages alone, in gossip too"}}, readLie},
	{"flood", []form{
		{"flood NODE N/s", "flood n13 500/s", "publishes so many a second with ever new keys, from now on"},
		{"flood off", "flood off", "no more"},
	}, readFlood},
	{"publish", []form{
		{"publish NODE [alert] \"TEXT\" [life TIME]", "publish n3 \"water at gate 4\"", "one message, now"},
		{"publish N [alerts] [from WHO] [over TIME] [size BYTES] [life TIME]", "publish 200 over 30m", "N from any phones, evenly while the story goes on"},
	}, readPublish},
	{"advance", []form{{"advance TIME", "advance 2h", "lets time pass"}}, func(l *line) any { return Advance{l.duration()} }},
	{"expect", []form{
		{"expect all within TIME", "expect all within 30s", "every node up has every live message"},
		{"expect carried within TIME", "expect carried within 10m", "every node has what the oracle could bring it"},
		{"expect SHARE of oracle", "expect 99% of oracle", "of the oracle's deliveries so many were made"},
		{"expect median FACTORx of oracle [plus TIME]", "expect median 1.25x of oracle plus 5s", "half of them are as fast as that"},
		{"expect nobody NODES", "expect nobody n4", "has none of what was published since it was cut off"},
		{"expect grouped SHARE", "expect grouped 80%", "of their time nodes were in a group with somebody"},
		{"expect takeovers N", "expect takeovers 1", "of groups whose owner vanished, or more"},
		{"expect ferries N", "expect ferries 3", "members sent to another group, or more"},
		{"expect copies N", "expect copies 2.5", "received for each delivery, or fewer; 1 is the least"},
		{"expect bytes N", "expect bytes 3.5", "of gossip and sync sent for each byte delivered, or fewer"},
		{"expect repeated Nx", "expect repeated 1.3x", "bytes for nothing to each missing at the last join, or fewer"},
		{"expect kept SHARE", "expect kept 99%", "of the live messages that came to nodes, they keep so many"},
	}, readExpect},
}

// Help is the whole language on one screen.
func Help() string {
	var b strings.Builder
	b.WriteString(`A story is a network told step by step, one step a line; # begins a comment. First nodes, then how they meet, then what
happens. The oracle is what any network could deliver at best if everybody in reach were linked; mute nodes and liars
pass nothing on in it.

`)
	for _, v := range verbs {
		for _, f := range v.forms {
			if len(f.usage) < 45 {
				fmt.Fprintf(&b, "  %-45s  %s\n", f.usage, f.about)
			} else {
				fmt.Fprintf(&b, "  %s  %s\n", f.usage, f.about)
			}
		}
	}
	fmt.Fprintf(&b, `
WHO     n3, n0-n49, h0 (a hub), several with commas and no blanks, all, hubs, or a share of the phones as in 10%%, by the seed
TIME    1h30m, 90s, 3d, 10y; for clocks also -10y and +3h     SHARE  10%%     RATE  250kbit/s, 10Mbit/s     BYTES  500B, 2KiB
FILE    beside the story, or $NAME or $NAME/file with NAME from the environment
At most %d nodes, %d steps, %d messages, %d messages times nodes, and 100 years.
`, maxNodes, maxSteps, maxPublished, MostPairs)
	return b.String()
}

// expected is the form of a line, or the forms if it is not known which was meant, with an example that works.
func (v verb) expected(form int) string {
	forms := v.forms
	if form >= 0 {
		forms = forms[form : form+1]
	}
	var usages []string
	for _, f := range forms {
		usages = append(usages, fmt.Sprintf("\"%s\"", f.usage))
	}
	return fmt.Sprintf("expected %s, as in \"%s\"", strings.Join(usages, " or "), forms[0].example)
}

// unknown says which verbs there are, and which is nearest to a word that is none, if one is near.
func unknown(w string) (wrong, nearest string) {
	var names []string
	least := min(4, len(w))
	for _, v := range verbs {
		names = append(names, v.name)
		if d := distance(w, v.name); d < least {
			nearest, least = v.name, d
		}
	}
	wrong = fmt.Sprintf("found %q, expected one of %s", clip(w), strings.Join(names, ", "))
	if nearest != "" {
		wrong += fmt.Sprintf("; did you mean %q?", nearest)
	}
	return wrong, nearest
}

// distance is how many letters are to be added, dropped, changed or swapped with the next to make one word the other.
// Words far longer than any verb are not compared.
func distance(a, b string) int {
	if len(a) > 20 {
		return len(a)
	}
	var d [21][21]int // of the first i letters to the first j; verbs are shorter
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], 1+d[i-2][j-2])
			}
		}
	}
	return d[len(a)][len(b)]
}

// nameOf is a file's name without folder and ending.
func nameOf(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}
