package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes the report as one screen of a terminal. What failed stands at its end, where the eye is when a run is over.
func (r *Report) Text(w io.Writer) error {
	var b bytes.Buffer
	columns := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range r.facts() {
		fmt.Fprintf(columns, "%s\t%s\n", f.Name, f.Value)
	}
	columns.Flush()
	for _, t := range r.tables() {
		b.WriteByte('\n')
		t.text(&b)
	}
	if r.Cut {
		fmt.Fprintf(&b, "\n%s: the figures are of what happened until then\n", strings.ToUpper(r.cut()))
	}
	switch {
	case len(r.Failed) > 0:
		fmt.Fprintf(&b, "\nFAILED: %d did not hold; %s\n", len(r.Failed), r.looked())
	case r.Cut:
		fmt.Fprintf(&b, "\n%s\n", r.verdict())
	default:
		fmt.Fprintf(&b, "\nok: %s\n", r.verdict())
	}
	for _, f := range r.Failed {
		fmt.Fprintf(&b, "  FAILED  %s\n", safe(f, 500))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// text writes a table with its figures aligned to the right, beneath their heads. The title takes the empty corner.
func (t table) text(b *bytes.Buffer) {
	var padded bytes.Buffer
	columns := tabwriter.NewWriter(&padded, 0, 0, 2, ' ', tabwriter.AlignRight)
	corner := strings.ToLower(t.Title)
	// The first column is made as wide as its widest name by hand, because it alone is aligned to the left.
	width := len(corner)
	for _, row := range t.Rows {
		width = max(width, len(row[0]))
	}
	line := func(name string, cells []string) {
		fmt.Fprintf(columns, "%-*s\t%s\t\n", width, name, strings.Join(cells, "\t"))
	}
	line(corner, t.Head[1:])
	for _, row := range t.Rows {
		line(row[0], row[1:])
	}
	columns.Flush()
	for l := range strings.Lines(padded.String()) {
		b.WriteString(l[2:]) // aligned to the right, the first column is padded too
	}
}
