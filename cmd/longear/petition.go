package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"longear/node/api"
)

// defaultChannel is where petitions and polls go that name no other.
const defaultChannel = "#all"

func (a *app) petitionCmd() *cobra.Command {
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "petition",
		Short: "Write a petition that others sign",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	made := &cobra.Command{
		Use:   "new TEXT|-",
		Short: "Write a petition that others sign",
		Long: "Write a petition. Its ID is printed alone; others sign it with longear respond ID sign,\n" +
			"and longear why ID shows how many keys have. With - the text is read from standard input.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, words []string) error {
			p, err := a.compose(f, []string{f.channel, words[0]})
			if err != nil {
				return err
			}
			p.Kind = "petition"
			return a.deliver(cmd.Context(), posting(cmd.Context(), p), f.wait)
		},
	}
	f.channelFlag(made.Flags())
	f.travelFlags(made.Flags())
	cmd.AddCommand(made)
	return cmd
}

func (a *app) pollCmd() *cobra.Command {
	var f sendFlags
	most := 1
	cmd := &cobra.Command{
		Use:   "poll",
		Short: "Ask a question that others vote on",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	made := &cobra.Command{
		Use:   "new QUESTION OPTION OPTION...",
		Short: "Ask a question that others vote on",
		Long: "Ask a question with 2 to 16 options. Its ID is printed alone; others vote with\n" +
			"longear respond ID vote N, and longear why ID shows how many keys chose each.",
		Example: "  longear poll new 'Where do we meet?' 'north gate' 'market' --channel '#square'",
		Args:    args(3, -1),
		RunE: func(cmd *cobra.Command, words []string) error {
			p, err := a.compose(f, []string{f.channel, words[0]})
			if err != nil {
				return err
			}
			options := words[1:]
			if most < 1 || most > len(options) {
				return api.Fail(api.Usage, fmt.Sprintf("--most %d of %d options", most, len(options)), fmt.Sprintf("1 to %d", len(options)))
			}
			p.Kind, p.Poll = "poll", &api.Poll{Options: options, Most: most}
			return a.deliver(cmd.Context(), posting(cmd.Context(), p), f.wait)
		},
	}
	made.Flags().IntVar(&most, "most", 1, "how many options one key may choose")
	f.channelFlag(made.Flags())
	f.travelFlags(made.Flags())
	cmd.AddCommand(made)
	return cmd
}
