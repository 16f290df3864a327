package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is set by the linker: -X main.release=v0.1.0.
var release = ""

// version is the release or, for a build without one, what the Go command noted.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

// versionReport is the answer of longear version --json.
type versionReport struct {
	Type     string `json:"type"` // "version"
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the version",
		Args:        args(0, 0),
		Annotations: map[string]string{noFile: "yes"},
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.object(versionReport{"version", version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			return a.line("longear %s %s %s/%s", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
