package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

// scryptWork is the cost of a guess at a backup's passphrase: 2^18, about a second on a laptop, as age chooses
// itself. maxScryptWork is what a file may demand of us before it is refused.
const (
	scryptWork    = 18
	maxScryptWork = 22
)

// maxBackup bounds a backup's content: an identity is under 300 bytes.
const maxBackup = 16 << 10

func (a *app) keyBackupCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write your key to a file, encrypted with a passphrase (age)",
		Args:  args(1, 1),
		RunE:  func(_ *cobra.Command, words []string) error { return a.keyBackup(words[0], file) },
	}
	cmd.Flags().StringVar(&file, "passphrase-file", "", "the passphrase is in this file (- is standard input)")
	return cmd
}

func (a *app) keyRestoreCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Be who you were when the backup was made",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := a.refuseWhileRunning(cmd); err != nil {
				return err
			}
			return a.keyRestore(words[0], file)
		},
	}
	cmd.Flags().StringVar(&file, "passphrase-file", "", "the passphrase is in this file (- is standard input)")
	return cmd
}

func (a *app) passphrase(file string, isNew bool) (string, error) {
	if file != "" {
		return a.readSecret(file)
	}
	return a.askSecret("passphrase", isNew)
}

func (a *app) keyBackup(to, passphraseFile string) error {
	if _, err := os.Lstat(to); err == nil && !a.yes {
		return api.Fail(api.Usage, to+" is there already", "choose another name, or --yes to replace it")
	}
	if err := os.MkdirAll(a.paths.State, 0o700); err != nil {
		return err
	}
	id, err := store.LoadIdentity(a.paths.State)
	if err != nil {
		return err
	}
	plain, err := id.Encode()
	if err != nil {
		return err
	}
	pass, err := a.passphrase(passphraseFile, true)
	if err != nil {
		return err
	}
	if err := protocol.CheckPassphrase(pass); err != nil {
		return api.Fail(api.Usage, err.Error(), "")
	}
	var sealed bytes.Buffer
	if err := encrypt(&sealed, plain, pass); err != nil {
		return fmt.Errorf("encrypt the backup: %w", err)
	}
	if _, err := replaceWith(to, func(w io.Writer) (int64, error) { return sealed.WriteTo(w) }); err != nil {
		return err
	}
	if a.json {
		return a.object(api.Done{Type: "done"})
	}
	a.say("the key of %s is in %s; without the passphrase it is of no use to anybody", protocol.AuthorOf(id.Author).Short(), to)
	return nil
}

func encrypt(to io.Writer, plain []byte, pass string) error {
	r, err := age.NewScryptRecipient(pass)
	if err != nil {
		return err
	}
	r.SetWorkFactor(scryptWork)
	w, err := age.Encrypt(to, r)
	if err != nil {
		return err
	}
	_, err = w.Write(plain)
	return errors.Join(err, w.Close())
}

func (a *app) keyRestore(from, passphraseFile string) error {
	plain, err := a.openBackup(from, passphraseFile)
	if err != nil {
		return err
	}
	id, err := store.ParseIdentity(plain)
	if err != nil {
		return api.Fail(api.Unverified, from+" holds no key: "+err.Error(), "")
	}
	if err := os.MkdirAll(a.paths.State, 0o700); err != nil {
		return err
	}
	if !a.yes && a.hasIdentity() {
		return api.Fail(api.Usage, "there is a key here already", "--yes puts the backup in its place and keeps the old one beside it")
	}
	aside, err := store.SaveIdentity(a.paths.State, id)
	if err != nil {
		return err
	}
	if aside != "" {
		a.say("the old key is kept as %s", aside)
	}
	if a.json {
		return a.object(api.Done{Type: "done"})
	}
	a.say("you are %s", protocol.AuthorOf(id.Author).Short())
	return nil
}

func (a *app) openBackup(from, passphraseFile string) ([]byte, error) {
	f, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pass, err := a.passphrase(passphraseFile, false)
	if err != nil {
		return nil, err
	}
	key, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, err
	}
	key.SetMaxWorkFactor(maxScryptWork)
	r, err := age.Decrypt(io.LimitReader(f, maxBackup), key)
	if err != nil {
		return nil, api.Fail(api.Unverified, "the backup does not open: "+err.Error(), "is it the right passphrase, and the whole file?")
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, api.Fail(api.Unverified, "the backup is damaged: "+err.Error(), "")
	}
	return plain, nil
}
