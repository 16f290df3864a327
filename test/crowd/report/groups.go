package report

import (
	"fmt"
	"strconv"
	"time"
)

// Groups is what came of Wi-Fi Direct groups, where nodes meet in them. Shares of time are of the time that nodes ran.
type Groups struct {
	Places    int          `json:"places"`
	HubPlaces int          `json:"hub_places,omitempty"` // 0: as many
	Battery   bool         `json:"battery,omitempty"`    // phones seek now and then only
	Grouped   float64      `json:"grouped"`              // in a group with somebody else
	Least     float64      `json:"least_grouped"`        // the same of the node that was least
	Alone     float64      `json:"alone"`                // owner of an empty group
	Sizes     []float64    `json:"sizes"`                // mean number of groups by devices in them, owner and all, from 0
	Crossed   []int        `json:"groups_crossed"`       // deliveries by the groups that they passed through, from 0
	Possible  int          `json:"possible"`             // deliveries that instant flooding makes over the links that groups made
	Counts    GroupCounts  `json:"counts"`
	Over      []GroupPoint `json:"over"`
}

// GroupCounts are what agents did, all together.
type GroupCounts struct {
	Made      int `json:"made"` // groups that came up
	Joins     int `json:"joins"`
	Failures  int `json:"failures"`   // joins that came to nothing
	Lost      int `json:"lost"`       // members whose owner vanished, or who walked away from it
	Takeovers int `json:"takeovers"`  // groups of such members
	StepDowns int `json:"step_downs"` // owners that gave up their group
	Merges    int `json:"merges"`     // of them, to join another at once
	Stranded  int `json:"stranded"`   // members that left a group by themselves with no other in sight
	Ferries   int `json:"ferries"`    // members that their agent sent to another group
	Loaded    int `json:"loaded"`     // of them, from which somebody there took a message that they brought
	Moves     int `json:"moves"`      // nodes that came from one group into another, for whatever reason
	Carried   int `json:"carried"`    // of them, from which somebody there took a message that they brought
}

// GroupPoint is the groups at one moment.
type GroupPoint struct {
	At     time.Duration `json:"at"`
	Groups int           `json:"groups"` // of two devices or more
	In     int           `json:"in"`     // nodes in them
	Alone  int           `json:"alone"`  // owners of empty groups
	Up     int           `json:"up"`     // nodes that run
}

// finite is a copy that JSON can hold.
func (g *Groups) finite() (*Groups, []*float64) {
	if g == nil {
		return nil, nil
	}
	c := *g
	c.Sizes, c.Crossed, c.Over = append([]float64{}, g.Sizes...), filled(g.Crossed), filled(g.Over)
	figures := []*float64{&c.Grouped, &c.Least, &c.Alone}
	for i := range c.Sizes {
		figures = append(figures, &c.Sizes[i])
	}
	return &c, figures
}

// facts say how much of the time nodes were in groups, and what could have been delivered over the links that groups made.
func (g *Groups) facts(deliveries int) []fact {
	places := fmt.Sprintf("Wi-Fi Direct, %d places", g.Places)
	if g.HubPlaces > 0 {
		places += fmt.Sprintf(", %d at a hub", g.HubPlaces)
	}
	if g.Battery {
		places += ", phones on battery"
	}
	return []fact{
		{"groups", places},
		{"in a group", fmt.Sprintf("%s of the time (of one node %s), and %s alone in its own", percent(g.Grouped), percent(g.Least), percent(g.Alone))},
		{"of the groups' links", fmt.Sprintf("%s of the %s that instant flooding delivers over them", percent(ratio(float64(deliveries), float64(g.Possible))), count(g.Possible))},
	}
}

func (g *Groups) tables() []table {
	c := g.Counts
	deeds := table{
		"Groups",
		[]string{"what agents did", "made", "joins", "owner lost", "takeovers", "step-downs", "ferries", "moves"},
		[][]string{{"times"}, {"of them"}},
	}
	for _, n := range []int{c.Made, c.Joins, c.Lost, c.Takeovers, c.StepDowns, c.Ferries, c.Moves} {
		deeds.Rows[0] = append(deeds.Rows[0], count(n))
	}
	deeds.Rows[1] = append(deeds.Rows[1], none, count(c.Failures)+" failed more", none, none, count(c.Merges)+" to join", count(c.Loaded)+" carried", count(c.Carried)+" carried")
	sizes := table{"Group size", []string{"devices"}, [][]string{{"groups at a time"}}}
	for n, mean := range g.Sizes {
		if n > 0 {
			sizes.Head, sizes.Rows[0] = append(sizes.Head, strconv.Itoa(n)), append(sizes.Rows[0], number(mean))
		}
	}
	return []table{deeds, sizes, byNumber("Groups crossed", "groups", g.Crossed)}
}

// points are the groups over time as numbers.
func (g *Groups) points() table {
	t := table{Title: "Groups over time", Head: []string{"at", "groups", "nodes in one", "alone in their own", "in none"}}
	for _, p := range evenly(g.Over, pointRows) {
		t.Rows = append(t.Rows, []string{span(p.At), count(p.Groups), count(p.In), count(p.Alone), count(p.Up - p.In - p.Alone)})
	}
	return t
}
