package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"longear/node/api"
)

// finding is what one check of doctor says.
type finding struct {
	Type  string `json:"type"` // "check"
	Check string `json:"check"`
	State string `json:"state"` // "ok", "warn" or "fail"
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

func ok(text string, v ...any) finding { return finding{State: "ok", Text: fmt.Sprintf(text, v...)} }

func warn(fix, text string, v ...any) finding {
	return finding{State: "warn", Text: fmt.Sprintf(text, v...), Fix: fix}
}

func fail(fix, text string, v ...any) finding {
	return finding{State: "fail", Text: fmt.Sprintf(text, v...), Fix: fix}
}

func (a *app) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:         "doctor",
		Short:       "Find out what is wrong, and how to mend it",
		Args:        args(0, 0),
		Annotations: map[string]string{noFile: "yes"}, // a broken file is one of the findings
		RunE:        func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

// doctor looks at everything a node stands on. It changes nothing.
func (a *app) doctor(ctx context.Context) error {
	var node *api.StatusReport
	c, err := a.client(ctx)
	if err == nil {
		defer c.Close()
		if s, failed := c.Status(ctx); failed == nil {
			node = &s
		} else {
			err = failed
		}
	}
	checks := []struct {
		name string
		run  func() []finding
	}{
		{"node", func() []finding { return checkNode(node, err) }},
		{"settings", a.checkSettings},
		{"key", func() []finding { return checkKey(a.paths.State) }},
		{"clock", checkClock},
		{"disk", func() []finding { return checkDisk(a.paths.State) }},
		{"store", func() []finding { return a.checkStore(node) }},
		{"network", checkInterfaces},
		{"multicast", func() []finding { return checkMulticast(ctx) }},
		{"ports", func() []finding { return checkPorts(node != nil) }},
	}
	failed := 0
	for _, check := range checks {
		for _, f := range check.run() {
			f.Type, f.Check = "check", check.name
			if f.State == "fail" {
				failed++
			}
			if err := a.printFinding(f); err != nil {
				return err
			}
		}
	}
	if failed > 0 {
		return api.Fail(api.Doctor, fmt.Sprintf("%d of these must be mended", failed), "do what stands under each fail")
	}
	return nil
}

func (a *app) printFinding(f finding) error {
	if a.json {
		return a.object(f)
	}
	state := f.State
	if state == "fail" {
		state = a.alert(state)
	}
	err := a.line("%-4s  %-9s  %s", state, f.Check, safeText(f.Text))
	if f.Fix != "" {
		err = errors.Join(err, a.line("      fix        %s", safeText(f.Fix)))
	}
	return err
}
