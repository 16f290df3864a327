package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) whyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "Tell the life of a message: where from, how far, what next",
		Long:  "Tell the life of a message. The beginning of its ID is enough, 4 characters or more.",
		Args:  args(1, 1),
		RunE:  func(cmd *cobra.Command, words []string) error { return a.why(cmd.Context(), words[0]) },
	}
}

func (a *app) why(ctx context.Context, prefix string) error {
	return a.withClient(ctx, func(c *api.Client, running bool) error {
		r, err := c.Life(ctx, prefix)
		if err != nil {
			return err
		}
		if a.json {
			return a.object(r)
		}
		return a.line("%s", a.story(r, running))
	})
}

// story tells a life in a few lines.
func (a *app) story(r api.LifeReport, running bool) string {
	m, life := r.Message, r.Life
	text := safeText(m.Text)
	switch {
	case !life.Kept:
		text = "(not kept here any more)"
	case m.Sealed:
		text = "(sealed, not readable here)"
	case m.Damaged:
		text = "(a damaged " + m.Kind + ")"
	case m.Answer != nil:
		text = answerLine(m.Answer)
	case m.Kind == "chunk":
		text = "(a part of a photo or file)"
	case m.File != nil:
		text = strings.TrimSpace(fileLine(m.File) + "  " + text)
	}
	lines := []string{m.ID[:8] + "  " + text}
	origin := "came here"
	if life.Own {
		origin = "made here"
	}
	if life.Kept {
		lines = append(lines, fmt.Sprintf("  %s %s, travelling for %s, in %s", origin, life.Received.Local().Format("2 Jan 15:04:05"),
			showSpan(time.Duration(m.Age)*time.Second), channelName(m)))
		lines = append(lines, "  dies here in "+showSpan(time.Duration(m.Expires)*time.Second))
	}
	if m.Muted {
		lines = append(lines, "  of an author you muted: "+m.Author)
	}
	lines = append(lines, a.answers(m)...)
	if life.Own {
		lines = append(lines, "  "+life.State)
	}
	next := life.Next
	if !running {
		next = "nothing until longear relay runs"
	}
	return strings.Join(append(lines, "  next: "+next), "\n")
}

// answers tell what is said to a message: nothing of one that is an answer itself.
func (a *app) answers(m api.Message) (lines []string) {
	if m.Answer != nil {
		return nil
	}
	if m.Kind == "petition" || m.Kind == "poll" {
		lines = append(lines, "  a "+m.Kind)
	}
	if m.Poll != nil {
		if m.Poll.Most > 1 {
			lines[0] += fmt.Sprintf(", up to %d options each", m.Poll.Most)
		}
		for _, o := range optionLines(m) {
			lines = append(lines, "    "+o)
		}
	}
	if count := tallyLine(m.Tally); count != "" {
		lines = append(lines, "  "+count+" (anybody can make any number of keys)")
	}
	if m.Tally != nil && m.Tally.Mine != nil {
		lines = append(lines, "  your key "+deed(m.Tally.Mine))
	}
	return lines
}
