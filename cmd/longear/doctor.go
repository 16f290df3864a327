package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func ok(text string, v ...any) api.Finding {
	return api.Finding{State: "ok", Text: fmt.Sprintf(text, v...)}
}

func warn(fix, text string, v ...any) api.Finding {
	return api.Finding{State: "warn", Text: fmt.Sprintf(text, v...), Fix: fix}
}

func fail(fix, text string, v ...any) api.Finding {
	return api.Finding{State: "fail", Text: fmt.Sprintf(text, v...), Fix: fix}
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
	failed := 0
	for _, f := range a.findings(ctx, node, err) {
		if f.State == "fail" {
			failed++
		}
		if err := a.printFinding(f); err != nil {
			return err
		}
	}
	if failed > 0 {
		return api.Fail(api.Doctor, fmt.Sprintf("%d of these must be mended", failed), "do what stands under each fail")
	}
	return nil
}

// findings are what all checks say. node is the one that runs, nil with the error of asking it if none answers.
func (a *app) findings(ctx context.Context, node *api.StatusReport, err error) []api.Finding {
	checks := []struct {
		name string
		run  func() []api.Finding
	}{
		{"node", func() []api.Finding { return checkNode(node, err) }},
		{"settings", a.checkSettings},
		{"key", func() []api.Finding { return checkKey(a.paths.State) }},
		{"clock", checkClock},
		{"disk", func() []api.Finding { return checkDisk(a.paths.State) }},
		{"store", func() []api.Finding { return a.checkStore(node) }},
		{"network", checkInterfaces},
		{"multicast", func() []api.Finding { return checkMulticast(ctx) }},
		{"wifi", func() []api.Finding { return a.checkWifi(ctx, node) }},
		{"ports", func() []api.Finding { return checkPorts(node != nil) }},
	}
	var all []api.Finding
	for _, check := range checks {
		for _, f := range check.run() {
			f.Type, f.Check = "check", check.name
			all = append(all, f)
		}
	}
	return all
}

func (a *app) printFinding(f api.Finding) error {
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
