// Package crowd shows how to try an idea on a crowd. The idea here: do four hubs in a thin crowd help?
package crowd

import (
	"fmt"
	"strings"
	"testing"

	"longear/test/crowd"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// thin is a crowd in which most people are alone most of the time. The language is printed by
// go run ./cmd/crowdsim --language.
const thin = `
nodes 16
%s
walk crowd 300m x 300m 1.4m/s range 30m pause 1m
publish 10 over 2m
advance 8m
expect 95%% of oracle
`

// TestHubs plays the crowd twice, with real nodes in virtual time: the same people on the same ways, with and without hubs.
func TestHubs(t *testing.T) {
	without := play(t, "# no hubs")
	with := play(t, "hubs 4")
	t.Logf("without hubs %.1f%% of what was said arrived, with hubs %.1f%%", 100*share(without), 100*share(with))
	if share(with) <= share(without) {
		t.Error("the hubs brought nothing")
	}
}

func share(r *report.Report) float64 { return float64(r.Deliveries) / float64(r.Pairs) }

func play(t *testing.T, hubs string) *report.Report {
	s, err := story.Parse("thin", strings.NewReader(fmt.Sprintf(thin, hubs)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := crowd.Run(t, s, crowd.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, failed := range r.Failed {
		t.Error(failed)
	}
	return r
}
