// Crowd tries an idea on a crowd of real nodes, in virtual time. The idea here: people on a festival ground, with a few hubs
// among them, and the hubs' power fails. Copy it and tell a story of your own; the language is printed by
// go run ./cmd/crowdsim --language.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"longear/test/crowd"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// festival is the story. What it expects is what makes the program fail.
const festival = `
nodes %d
hubs %d
walk crowd %dm x %dm 1.4m/s range 40m pause 5m

publish 100 over 3m
advance 2m
crash hubs
publish n0 alert "storm coming, leave the hill"
advance 3m
restart hubs
advance 1m

expect 99%% of oracle
expect median 1.25x of oracle plus 5s
`

// tell is the story with so many phones and a hub to each 75 of them. The ground grows with the crowd: people stand as close
// on it, whatever their number.
func tell(nodes int) (story.Story, error) {
	side := int(25 * math.Sqrt(float64(nodes)))
	text := fmt.Sprintf(festival, nodes, max(1, nodes/75), side, side)
	return story.Parse("festival.txt", strings.NewReader(text))
}

func main() {
	// The program becomes a test to have virtual time, and the default set of flags is then that of tests.
	flags := flag.NewFlagSet("crowd", flag.ExitOnError)
	nodes := flags.Int("nodes", 300, "so many phones")
	seed := flags.Uint64("seed", 1, "decides who they are and where they go")
	flags.Parse(os.Args[1:])

	s, err := tell(*nodes)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	crowd.Main(s, crowd.Options{Seed: *seed}, func(r *report.Report, err error) int {
		if err == nil {
			err = show(os.Stdout, r)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	})
}

// show writes what came of it. The report has much more, and r.HTML writes a page with a replay.
func show(w io.Writer, r *report.Report) error {
	if err := r.Text(w); err != nil {
		return err
	}
	if len(r.Failed) > 0 {
		return fmt.Errorf("%d expectations did not hold", len(r.Failed))
	}
	return nil
}
