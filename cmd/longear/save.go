package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) saveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "save ID [FILE|DIR]",
		Short: "Write a photo or file that came to a file of your own",
		Long: "Write a photo or file that came to a file of your own: in this folder under the name it\n" +
			"came with, or where you say. The beginning of its ID is enough. It is written as it came\n" +
			"and never opened; that it calls itself a photo does not make it one.",
		Example: "  longear save k7qm2xwd Pictures/",
		Args:    args(1, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			to := "."
			if len(words) > 1 {
				to = words[1]
			}
			return a.save(cmd.Context(), words[0], to)
		},
	}
}

// saved is what save says about its file.
type saved struct {
	Type  string `json:"type"` // "saved"
	ID    string `json:"id"`
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func (a *app) save(ctx context.Context, prefix, to string) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		r, err := c.Life(ctx, prefix)
		if err != nil {
			return err
		}
		m := r.Message
		if m.File == nil {
			return api.Fail(api.NotFound, "the message "+m.ID[:8]+" is no photo or file, or cannot be read here", "longear watch shows which are: [photo ...] and [file ...]")
		}
		path := savePath(to, m)
		if _, err := os.Lstat(path); err == nil && !a.yes {
			return api.Fail(api.Usage, safeText(path)+" is there already", "choose another name, or --yes to replace it")
		}
		n, err := replaceWith(path, func(w io.Writer) (int64, error) { return c.File(ctx, m.ID, w) })
		if err != nil {
			return err
		}
		if a.json {
			return a.object(saved{Type: "saved", ID: m.ID, File: path, Bytes: n})
		}
		a.say("wrote %s to %s", showBytes(n), safeText(path))
		return nil
	})
}

// extension is the end of a name for the few types that are photos; nothing for what else there is.
func extension(media string) string {
	switch media {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	}
	return ""
}

// savePath is where a file goes: into a folder under the name it came with, made harmless, or by its ID if it came with none.
func savePath(to string, m api.Message) string {
	if info, err := os.Stat(to); err != nil || !info.IsDir() {
		return to
	}
	name := plainName(m.File.Name)
	if name == "" {
		name = m.ID[:8] + extension(m.File.Type)
	}
	return filepath.Join(to, name)
}
