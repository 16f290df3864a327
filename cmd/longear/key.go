package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

// keyReport is the answer of longear key show --json.
type keyReport struct {
	Type   string `json:"type"` // "key"
	Author string `json:"author"`
	Card   string `json:"card"`
}

func (a *app) keyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Your key: show the card others write to, back it up, restore it",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "show",
		Short: "Print your card: give it to those who shall write to you",
		Args:  args(0, 0),
		RunE:  func(*cobra.Command, []string) error { return a.keyShow() },
	}, &cobra.Command{
		Use:   "qr",
		Short: "Show your card as a QR code",
		Args:  args(0, 0),
		RunE:  func(*cobra.Command, []string) error { return a.keyQR() },
	}, a.keyBackupCmd(), a.keyRestoreCmd())
	return cmd
}

// card is how others write to this person. The key is made at its first use.
func (a *app) card() (protocol.Card, error) {
	if err := os.MkdirAll(a.paths.State, 0o700); err != nil {
		return protocol.Card{}, err
	}
	id, err := store.LoadIdentity(a.paths.State)
	if err != nil {
		return protocol.Card{}, err
	}
	return protocol.NewCard(id.Author, id.Seal.Public())
}

func (a *app) keyShow() error {
	card, err := a.card()
	if err != nil {
		return err
	}
	if a.json {
		return a.object(keyReport{"key", card.Author().String(), card.String()})
	}
	a.say("you are %s; this card lets others write to you:", card.Author().Short())
	return a.line("%s", card)
}

func (a *app) keyQR() error {
	card, err := a.card()
	if err != nil {
		return err
	}
	// Upper case fits the alphanumeric mode of QR codes, which is a third smaller.
	code, err := qr.Encode(strings.ToUpper(card.String()), qr.L)
	if err != nil {
		return err
	}
	if a.json {
		return a.object(keyReport{"key", card.Author().String(), card.String()})
	}
	return a.line("%s", drawQR(code))
}

// margin is the light border that readers need around a QR code.
const margin = 2

// drawQR draws two rows of a code in one line of half blocks. A light square is a drawn one, for
// terminals are mostly dark; readers take the inverse too.
func drawQR(code *qr.Code) string {
	var b strings.Builder
	for y := -margin; y < code.Size+margin; y += 2 {
		for x := -margin; x < code.Size+margin; x++ {
			upper, lower := !code.Black(x, y), y+1 < code.Size+margin && !code.Black(x, y+1)
			switch {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// hasIdentity reports whether this person has a key already.
func (a *app) hasIdentity() bool {
	_, err := os.Lstat(filepath.Join(a.paths.State, "identity.json"))
	return err == nil
}

// refuseWhileRunning keeps the key from being changed under a running node.
func (a *app) refuseWhileRunning(cmd *cobra.Command) error {
	c, err := a.client(cmd.Context())
	if err != nil {
		return nil
	}
	c.Close()
	return api.Fail(api.StoreFull, "the node is running and would go on with the old key", "stop it first")
}
