package report

import (
	"bytes"
	_ "embed" // for the page
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"
)

// The parts of the page. It loads nothing: its styles, its programs and its data stand in it.
var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
	//go:embed page/plots.js
	plotsJS string
	//go:embed page/replay.js
	replayJS string
	//go:embed page/groups.js
	groupsJS string
	//go:embed page/draw.js
	drawJS string
)

// page is what the template is filled with. The words of strangers go through it as strings, which the template escapes for where
// they stand; only what this package wrote itself and what encoding/json escaped is marked as code.
type page struct {
	Report  *Report
	Style   template.CSS
	Script  template.JS
	Data    template.JS
	Title   string
	Line    []string // under the title
	Cut     string   // where, if it was
	Verdict string
	Failed  []string
	Tiles   []tile
	Facts   []fact
	Tables  []table
	Points  []table
}

// tile is a headline figure.
type tile struct{ Name, Value, Note string }

// HTML writes the report as one page that needs nothing else: no network, no folder beside it. The replay is thinned for it.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	clean := r.finite()
	data, err := clean.plotJSON()
	if err != nil {
		return fmt.Errorf("encode the data of the page: %w", err)
	}
	p := page{
		Report:  clean,
		Style:   template.CSS(pageCSS),
		Script:  template.JS(drawJS + plotsJS + groupsJS + replayJS + pageJS),
		Data:    template.JS(data),
		Title:   safe(clean.Story, 200),
		Line:    clean.line(),
		Cut:     upperFirst(clean.cut()),
		Verdict: upperFirst(clean.verdict()),
		Tiles:   clean.tiles(),
		Facts:   clean.facts()[1:], // the story is the title
		Tables:  inColumns(turned(clean.tables())),
		Points:  clean.points(),
	}
	if len(clean.Failed) > 0 {
		p.Verdict = upperFirst(clean.looked())
	}
	for _, f := range clean.Failed {
		p.Failed = append(p.Failed, safe(f, 300))
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("fill the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// upperFirst makes a sentence of a text, which begins with an ASCII letter or a digit.
func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// plotJSON is the data that the page's program draws. encoding/json escapes <, > and &, so that no text in it can end the element
// that it stands in.
func (r *Report) plotJSON() ([]byte, error) {
	film, err := r.Replay.reelJSON(r.Nodes)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Curve     []CurvePoint    `json:"curve"`
		Histogram []Bin           `json:"histogram"`
		Hops      []int           `json:"hops"`
		Traffic   []TrafficPoint  `json:"traffic"`
		Latency   Quantiles       `json:"latency"`
		Oracle    Quantiles       `json:"oracle_latency"`
		Replay    json.RawMessage `json:"replay"`
		Groups    []GroupPoint    `json:"groups"`
	}{evenly(r.Curve, pageFrames), r.Histogram, r.Hops, summed(lasting(r.Traffic), pageFrames, TrafficPoint.plus), r.Latency, r.Oracle, film, r.groupPoints()})
}

// groupPoints are the groups over time, nil where there are none.
func (r *Report) groupPoints() []GroupPoint {
	if r.Groups == nil {
		return nil
	}
	return evenly(r.Groups.Over, pageFrames)
}

func (r *Report) line() []string {
	nodes := plural(r.Nodes, "node")
	if r.Hubs > 0 {
		nodes += ", " + plural(r.Hubs, "hub") + " among them"
	}
	return []string{
		nodes, plural(r.Messages, "message"), span(r.Virtual) + " of virtual time", "in " + span(r.Real), "seed " + strconv.FormatUint(r.Seed, 10),
	}
}

func (r *Report) tiles() []tile {
	of := func(oracle time.Duration) string { return "oracle " + span(oracle) }
	return []tile{
		{"Delivered", percent(r.delivered()), count(r.Deliveries) + " of " + count(r.wanted())},
		{"Of the oracle", percent(r.ofOracle()), count(r.Possible) + " were possible"},
		{"Median latency", span(r.Latency.P50), of(r.Oracle.P50)},
		{"99th percentile", span(r.Latency.P99), of(r.Oracle.P99)},
		{"Copies per delivery", number(r.Copies), "1 is the least"},
		{"Bytes/payload byte", number(r.overhead()), size(r.Bytes.all()) + " a node"},
	}
}

// inColumns orders the tables so that two columns of them are about as long.
func inColumns(t []table) []table { return append([]table{t[0], t[1], t[4], t[2], t[3]}, t[5:]...) }

// turned is each table with its rows as columns: a page is read downwards and a terminal across.
func turned(tables []table) []table {
	out := make([]table, 0, len(tables))
	for _, t := range tables {
		u := table{Title: t.Title, Head: []string{t.Head[0]}}
		for _, row := range t.Rows {
			u.Head = append(u.Head, row[0])
		}
		for i, name := range t.Head[1:] {
			row := []string{name}
			for _, old := range t.Rows {
				row = append(row, old[i+1])
			}
			u.Rows = append(u.Rows, row)
		}
		out = append(out, u)
	}
	return out
}

// pointRows is how many rows of a plot's numbers the page shows.
const pointRows = 30

// points are the plots as numbers, for who cannot see them.
func (r *Report) points() []table {
	curve := table{Title: "Delivery curve", Head: []string{"since publishing", "nodes", "oracle"}}
	for _, p := range evenly(r.Curve, pointRows) {
		curve.Rows = append(curve.Rows, []string{span(p.After), percent(p.Share), percent(p.Oracle)})
	}
	latency := table{Title: "Latencies", Head: []string{"at most", "deliveries"}}
	for _, b := range summed(r.Histogram, pointRows, Bin.plus) {
		latency.Rows = append(latency.Rows, []string{span(b.UpTo), count(b.N)})
	}
	traffic := table{Title: "Bytes over time", Head: []string{"until", "gossip", "sync", "discovery"}}
	for _, p := range summed(lasting(r.Traffic), pointRows, TrafficPoint.plus) {
		traffic.Rows = append(traffic.Rows, []string{span(p.At), size(float64(p.Gossip)), size(float64(p.Sync)), size(float64(p.Discovery))})
	}
	points := []table{curve, latency, traffic}
	if r.Groups != nil {
		points = append(points, r.Groups.points())
	}
	return points
}

// summed is a list of intervals made into at most n longer ones.
func summed[T any](list []T, n int, plus func(T, T) T) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, 0, n)
	for i := range n {
		part := list[i*len(list)/n : (i+1)*len(list)/n]
		sum := part[0]
		for _, next := range part[1:] {
			sum = plus(sum, next)
		}
		out = append(out, sum)
	}
	return out
}

// lasting is the traffic without points that took no time, or hardly any, as at the start of a run and at its end: they are part
// of their neighbour. By the second they would be so much that nothing else showed.
func lasting(list []TrafficPoint) []TrafficPoint {
	kept := make([]TrafficPoint, 0, len(list))
	var before time.Duration
	var held TrafficPoint
	for i, p := range list {
		least := list[len(list)-1].At / time.Duration(10*len(list)) // a tenth of what a point takes
		short := p.At-before < least
		p, held = held.plus(p), TrafficPoint{}
		switch last := len(kept) - 1; {
		case short && last >= 0:
			kept[last] = kept[last].plus(p)
			before = p.At
		case short && i < len(list)-1:
			held = p
		default:
			kept = append(kept, p)
			before = p.At
		}
	}
	return kept
}

func (b Bin) plus(next Bin) Bin { return Bin{next.UpTo, b.N + next.N} }

func (p TrafficPoint) plus(next TrafficPoint) TrafficPoint {
	return TrafficPoint{next.At, p.Gossip + next.Gossip, p.Sync + next.Sync, p.Discovery + next.Discovery}
}
