package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"longear/node/api"
)

// A setting has one name everywhere: the flag --store-max, the variable LONGEAR_STORE_MAX, the key
// store-max in config.toml. The flag beats the variable, the variable the file, the file the default. A flag that is about one
// call and not about the installation has no key in the file.

// inFile marks flags of a command as settings that config.toml may hold.
func inFile(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[fileKey] = []string{"yes"}
	}
}

// fileKey annotates a flag that is a key of config.toml; noFile a command that must work with a broken one.
const (
	fileKey = "longear-file"
	noFile  = "longear-no-file"
)

// settle gives every flag of a command that was not typed its value from the environment or the file.
func (a *app) settle(cmd *cobra.Command) error {
	if err := fromEnvironment(cmd.Flags()); err != nil {
		return err
	}
	p, err := findPaths(a.home, a.socket)
	if err != nil {
		return err
	}
	a.paths = p
	if cmd.Annotations[noFile] != "" {
		return nil
	}
	file, err := readSettings(p.Config)
	if err != nil {
		return err
	}
	return fromFile(cmd, file, p.Config)
}

func variable(flag string) string {
	return "LONGEAR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		value, set := os.LookupEnv(variable(f.Name))
		if f.Changed || !set || f.Name == "help" || failed != nil {
			return
		}
		if err := assign(flags, f, strings.Split(value, ",")); err != nil {
			failed = api.Fail(api.Usage, fmt.Sprintf("%s=%q: %v", variable(f.Name), value, err), "unset it, or see longear "+f.Name+" --help")
		}
	})
	return failed
}

// assign sets a flag from values that are one unless it is a list. It counts as typed afterwards, so that
// whatever comes later in the order leaves it alone.
func assign(flags *pflag.FlagSet, f *pflag.Flag, values []string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
		f.Changed = true
		return list.Replace(values)
	}
	return flags.Set(f.Name, strings.Join(values, ","))
}

// maxSettings bounds config.toml.
const maxSettings = 1 << 20

// readSettings reads config.toml. No file is no settings.
func readSettings(path string) (map[string][]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if len(b) > maxSettings {
		return nil, api.Fail(api.Usage, fmt.Sprintf("%s is longer than %d bytes", path, maxSettings), "")
	}
	settings, err := parseSettings(string(b))
	if err != nil {
		return nil, api.Fail(api.Usage, fmt.Sprintf("%s: %v", path, err), "longear config check")
	}
	return settings, nil
}

// parseSettings reads the text of config.toml into the values each flag would be given.
func parseSettings(text string) (map[string][]string, error) {
	var raw map[string]any
	if _, err := toml.Decode(text, &raw); err != nil {
		return nil, err
	}
	settings := make(map[string][]string, len(raw))
	for key, value := range raw {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		settings[key] = []string{}
		for _, v := range list {
			s, err := plain(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			settings[key] = append(settings[key], s)
		}
	}
	return settings, nil
}

func plain(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64, float64, bool:
		return fmt.Sprint(v), nil
	}
	return "", errors.New("a setting is a text, a number, true, false or a list of texts")
}

// fromFile gives a command's flags their values from the file, and refuses a file with a key that no command knows: a
// misspelt setting that is silently ignored can cost somebody dearly.
func fromFile(cmd *cobra.Command, file map[string][]string, path string) error {
	known := fileKeys(cmd.Root())
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if known[key] == nil {
			return api.Fail(api.Usage, fmt.Sprintf("%s: there is no setting %q", path, key),
				"known are "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		f := cmd.Flags().Lookup(key)
		if f == nil || f.Changed {
			continue
		}
		if err := assign(cmd.Flags(), f, file[key]); err != nil {
			return api.Fail(api.Usage, fmt.Sprintf("%s: %s = %q: %v", path, key, strings.Join(file[key], ","), err), "longear config check")
		}
	}
	return nil
}

// fileKeys are the flags of all commands that config.toml may hold.
func fileKeys(root *cobra.Command) map[string]*pflag.Flag {
	keys := make(map[string]*pflag.Flag)
	collect := func(f *pflag.Flag) {
		if f.Annotations[fileKey] != nil {
			keys[f.Name] = f
		}
	}
	root.PersistentFlags().VisitAll(collect)
	for _, cmd := range root.Commands() {
		cmd.LocalFlags().VisitAll(collect)
	}
	return keys
}
