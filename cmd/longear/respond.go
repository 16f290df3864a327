package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) respondCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "respond ID confirm|contradict|sign|withdraw|react EMOJI|vote N[,N]",
		Short: "Confirm or contradict a message, sign a petition, vote in a poll",
		Long: "Answer a message. The beginning of its ID is enough, 4 characters or more.\n\n" +
			"  confirm       I see this too\n" +
			"  contradict    this is not so\n" +
			"  sign          sign a petition\n" +
			"  vote N[,N]    choose options of a poll, by their numbers from 1\n" +
			"  react EMOJI   a short text without spaces\n" +
			"  withdraw      take back what you answered\n\n" +
			"You have one answer to a message: a later one takes the place of the one before, in\n" +
			"whatever order they arrive. Everybody can read it, under your key, or all who hold the\n" +
			"key of the channel. What is counted everywhere are keys, not people: anybody can make\n" +
			"any number of keys. An answer lives as long as its target asked to.",
		Example: "  longear respond k3j4h5g6 confirm\n  longear respond k3j4h5g6 vote 1,3",
		Args:    args(2, 3),
		RunE: func(cmd *cobra.Command, words []string) error {
			r, err := answerWords(words[1:])
			if err != nil {
				return err
			}
			return a.respond(cmd.Context(), words[0], r)
		},
	}
}

// answerWords reads an answer from the command line.
func answerWords(words []string) (api.Respond, error) {
	r := api.Respond{Answer: words[0]}
	rest := words[1:]
	switch r.Answer {
	case "confirm", "contradict", "sign", "withdraw":
		if len(rest) > 0 {
			return r, api.Fail(api.Usage, fmt.Sprintf("%q is too much: %s stands alone", rest[0], r.Answer), "leave it out")
		}
		return r, nil
	case "react":
		if len(rest) == 0 {
			return r, api.Fail(api.Usage, "there is nothing to react with", "longear respond ID react 👍")
		}
		r.Text = rest[0]
		return r, nil
	case "vote":
		if len(rest) == 0 {
			return r, api.Fail(api.Usage, "there is nothing to vote for", "longear respond ID vote 1; longear why ID shows the options")
		}
		var err error
		r.Options, err = optionNumbers(rest[0])
		return r, err
	}
	return r, api.Fail(api.Usage, fmt.Sprintf("%q is no answer", r.Answer), "confirm, contradict, sign, vote, react or withdraw")
}

// optionNumbers reads "1,3" as the first and the third option, in the order of the poll.
func optionNumbers(text string) ([]int, error) {
	var out []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, api.Fail(api.Usage, fmt.Sprintf("%q is no number of an option", word), "numbers from 1, with commas: 1,3")
		}
		if slices.Contains(out, n-1) {
			return nil, api.Fail(api.Usage, fmt.Sprintf("option %d twice", n), "name it once")
		}
		out = append(out, n-1)
	}
	slices.Sort(out)
	return out, nil
}

func (a *app) respond(ctx context.Context, id string, r api.Respond) error {
	return a.withClient(ctx, func(c *api.Client, running bool) error {
		m, err := c.Respond(ctx, id, r)
		if err != nil {
			return err
		}
		if a.json {
			return a.object(m)
		}
		if err := a.line("%s", m.ID); err != nil {
			return err
		}
		if !running {
			a.say("%s: no node is running, so it travels from the next start of longear relay", answerLine(m.Answer))
			return nil
		}
		a.say("%s", answerLine(m.Answer))
		return nil
	})
}

// answerLine is what an answer says: who does what to what.
func answerLine(w *api.Answer) string {
	line := deed(w)
	switch {
	case w.Target == "":
		return line
	case w.Answer == "vote":
		line += " in"
	case w.Answer == "react":
		line += " to"
	}
	line += " " + w.Target[:8]
	if w.Of != "" {
		line += " “" + safeText(w.Of) + "”"
	}
	return line
}

// deed is what somebody does who answers.
func deed(w *api.Answer) string {
	switch w.Answer {
	case "withdraw":
		return "takes back its answer to"
	case "vote":
		return "votes " + votedFor(w)
	case "react":
		return "reacts " + safeText(w.Text)
	}
	return w.Answer + "s"
}

// votedFor names the options of a vote, or their numbers when the poll is not here or has not these.
func votedFor(w *api.Answer) string {
	var out []string
	for _, text := range w.Chosen {
		out = append(out, "“"+safeText(text)+"”")
	}
	if len(out) == 0 {
		for _, n := range w.Options {
			out = append(out, strconv.Itoa(n+1))
		}
	}
	return strings.Join(out, ", ")
}

// tallyLine counts answers in one line; "" when there are none. It counts keys, and says so.
func tallyLine(t *api.Tally) string {
	if t == nil {
		return ""
	}
	var parts []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", word, n))
		}
	}
	add(t.Confirms, "confirmed")
	add(t.Contradicts, "contradicted")
	add(t.Signs, "signed")
	add(t.Voters, "voted")
	for _, r := range t.Reactions {
		add(r.Count, safeText(r.Text))
	}
	add(t.MoreReactions, "other")
	if len(parts) == 0 {
		return ""
	}
	line := "keys: " + strings.Join(parts, ", ")
	if t.AtLeast {
		line += " or more"
	}
	return line
}

// optionLines are the options of a poll with how many keys chose each, numbered as vote takes them.
func optionLines(m api.Message) (lines []string) {
	for i, text := range m.Poll.Options {
		n := 0
		if m.Tally != nil && i < len(m.Tally.Votes) {
			n = m.Tally.Votes[i]
		}
		lines = append(lines, fmt.Sprintf("%d. %s: %d", i+1, safeText(text), n))
	}
	return lines
}
