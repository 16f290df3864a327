package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
	"longear/protocol"
)

// carryExt is the end of a carry file's name.
const carryExt = ".ear"

func (a *app) carryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "carry",
		Short: "Take messages along in a file, and bring them in",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var channel string
	out := &cobra.Command{
		Use:   "out DIR|FILE|-",
		Short: "Write what is kept here to a file, for a stick or a mail",
		Args:  args(1, 1),
		RunE:  func(cmd *cobra.Command, words []string) error { return a.carryOut(cmd.Context(), channel, words[0]) },
	}
	out.Flags().StringVar(&channel, "channel", "", "only this channel")
	cmd.AddCommand(out, &cobra.Command{
		Use:   "in FILE|DIR|-",
		Short: "Take the messages of a file in, or of every " + carryExt + " file of a folder",
		Args:  args(1, 1),
		RunE:  func(cmd *cobra.Command, words []string) error { return a.carryIn(cmd.Context(), words[0]) },
	})
	return cmd
}

// wrote is what carry out says about its file.
type wrote struct {
	Type  string `json:"type"` // "carried"
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func (a *app) carryOut(ctx context.Context, channel, to string) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		if to == "-" {
			_, err := c.CarryOut(ctx, channel, a.out)
			return err
		}
		if info, err := os.Stat(to); err == nil && info.IsDir() {
			to = filepath.Join(to, time.Now().Format("longear-20060102-150405")+carryExt)
		} else if err == nil && !a.yes {
			return api.Fail(api.Usage, to+" is there already", "choose another name, or --yes to replace it")
		}
		n, err := replaceWith(to, func(w io.Writer) (int64, error) { return c.CarryOut(ctx, channel, w) })
		if err != nil {
			return err
		}
		if a.json {
			return a.object(wrote{Type: "carried", File: to, Bytes: n})
		}
		a.say("wrote %s to %s. On the other side: longear carry in FILE", showBytes(n), to)
		return nil
	})
}

// replaceWith writes a file that appears only when it is whole. Everything happens within its folder: a name that is a
// link to elsewhere is replaced, not followed.
func replaceWith(path string, write func(io.Writer) (int64, error)) (int64, error) {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	defer dir.Close()
	name := filepath.Base(path)
	unfinished := "." + name + "." + rand.Text()[:8]
	f, err := dir.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	n, err := write(f)
	// Sticks are pulled out: what is said to be written must be on it.
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = dir.Rename(unfinished, name)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("write %s: %w", path, err), dir.Remove(unfinished))
	}
	return n, nil
}

func (a *app) carryIn(ctx context.Context, from string) error {
	files, err := carryFiles(from)
	if err != nil {
		return err
	}
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		var failed error
		for _, file := range files {
			if err := a.carryInFile(ctx, c, file); err != nil {
				if failed != nil {
					a.showFailure(diagnose(failed)) // the last failure is shown by the program's end
				}
				failed = err
			}
		}
		return failed
	})
}

// carryFiles are the files that a path stands for.
func carryFiles(from string) ([]string, error) {
	if from == "-" {
		return []string{from}, nil
	}
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil, api.Fail(api.NotFound, "there is no "+from, "")
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{from}, nil
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), carryExt) && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(from, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, api.Fail(api.NotFound, "there is no "+carryExt+" file in "+from, "name the file")
	}
	slices.Sort(files)
	return files, nil
}

func (a *app) carryInFile(ctx context.Context, c *api.Client, file string) error {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r, err := c.CarryIn(ctx, in)
	if err != nil {
		return err
	}
	if a.json {
		if err := a.object(r); err != nil {
			return err
		}
	} else if err := a.line("%s", countsOf(r)); err != nil {
		return err
	}
	saved := fmt.Sprintf("%d of %d messages are safe here", r.New+r.Known, r.Records+r.Damaged)
	switch {
	case r.Damaged > 0:
		return api.Fail(api.Unverified, fmt.Sprintf("%s is damaged at %s; %s", file, strings.Join(r.Damage, ", "), saved), "have it written again: longear carry out")
	case r.Refused > 0:
		return api.Fail(api.Unverified, fmt.Sprintf("%s holds %d messages that are forged or malformed; %s", file, r.Refused, saved), "ask where the file comes from")
	}
	return nil
}

func countsOf(r api.CarryReport) string {
	text := fmt.Sprintf("new %d   known %d   refused %d   damaged %d   not taken %d", r.New, r.Known, r.Refused, r.Damaged, r.Ignored)
	if n := r.Reasons[protocol.IgnoreMuted.String()]; n > 0 {
		text += fmt.Sprintf(" (%d of authors you muted)", n)
	}
	return text
}
