// Package store does what the commands do that look after the files of a store:
// it shows the work's progress and tells the outcome, to people or to programs.
package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"gearbolt/persist/bolt"
)

// An Output is where a command shows what it does.
type Output struct {
	Out  io.Writer
	Show func(line string) // of progress; nil: nobody wants to see it
	JSON bool
}

// redraw is how long a line of progress stays.
const redraw = 500 * time.Millisecond

// progress shows how far a work is, and ends it with ctx.
func (o Output) progress(ctx context.Context) bolt.Progress {
	last := time.Now()
	return func(done, all, records int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if o.Show != nil && time.Since(last) >= redraw {
			last = time.Now()
			o.Show(fmt.Sprintf("%3d%%  %d of %d MB  %d records", 100*done/max(all, 1), done>>20, all>>20, records))
		}
		return nil
	}
}

// write writes a value for programs, or a text for people.
func (o Output) write(value any, text string) error {
	if o.JSON {
		e := json.NewEncoder(o.Out)
		e.SetEscapeHTML(false)
		return e.Encode(value)
	}
	_, err := io.WriteString(o.Out, text)
	return err
}

// Check checks a store and reports whether nothing is damaged.
func Check(ctx context.Context, path string, o Output) (clean bool, err error) {
	r, err := bolt.Check(path, o.progress(ctx))
	if err != nil {
		return false, err
	}
	return r.Clean(), o.write(struct {
		*bolt.Report
		Clean bool `json:"clean"`
	}{r, r.Clean()}, reportText(r))
}

func reportText(r *bolt.Report) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{name}, args...)...)
	}
	line("file", "%s", r.Path)
	line("size", "%d bytes; %d pages of %d bytes, %d of them free", r.Size, r.Pages, r.PageSize, r.FreePages)
	line("format", "version %d", r.Format)
	line("epoch", "%d", r.Epoch)
	line("transaction", "%d", r.Transaction)
	if r.Copy {
		line("origin", "a backup, or salvaged")
	}
	line("jobs", "%d, %d of them not due yet; %d bytes of payload", r.Jobs, r.Delayed, r.Bytes)
	for _, f := range r.Functions {
		line("", "%q: %d, %d not due yet, %d retried, %d bytes", f.Function, f.Jobs, f.Delayed, f.Retried, f.Bytes)
	}
	line("limits", "%d", r.Limits)
	damageText(&b, r.Damage)
	if r.Clean() {
		b.WriteString("clean\n")
	} else {
		fmt.Fprintf(&b, "damaged: gearbolt store salvage %s NEW-DIRECTORY makes a good store of what is left\n", r.Path)
	}
	return b.String()
}

// shownDamage is how much of the damage people are shown; programs get all.
const shownDamage = 50

func damageText(b *strings.Builder, all []bolt.Damage) {
	for i, d := range all {
		if i == shownDamage {
			fmt.Fprintf(b, "%-12s and %d more\n", "", len(all)-i)
			break
		}
		fmt.Fprintf(b, "%-12s %s\n", "damaged", d)
	}
}

// Salvage makes a new store of a damaged one and reports whether nothing was
// damaged.
func Salvage(ctx context.Context, in, out string, certain bool, o Output) (whole bool, err error) {
	s, err := bolt.Salvage(in, out, bolt.SalvageOptions{Certain: certain, Progress: o.progress(ctx)})
	if err != nil {
		return false, err
	}
	var b strings.Builder
	damageText(&b, s.Damage)
	for _, job := range s.Incomplete {
		fmt.Fprintf(&b, "%-12s job %s: its payload is not whole\n", "lost", job)
	}
	fmt.Fprintf(&b, "%-12s %d jobs and %d limits, in %s\n", "recovered", s.Jobs, s.Limits, s.Out)
	if s.Uncertain > 0 {
		fmt.Fprintf(&b, "%-12s %d of the jobs: they may have been done before, and will run again\n", "uncertain", s.Uncertain)
	}
	if s.Whole() {
		b.WriteString("nothing was damaged\n")
	} else {
		b.WriteString("what the damaged pages had is lost, unless it is among what was recovered\n")
	}
	return s.Whole(), o.write(s, b.String())
}

// Compact makes the file of a store as small as it can be.
func Compact(ctx context.Context, dir string, o Output) error {
	c, err := bolt.Compact(dir, o.progress(ctx))
	if err != nil {
		return err
	}
	return o.write(c, fmt.Sprintf("%s: %d bytes before, %d after; %d jobs\n", c.Path, c.Before, c.After, c.Jobs))
}

// A Backup is what became of one.
type Backup struct {
	Server string `json:"server,omitempty"` // who made it
	Path   string `json:"path"`             // on the server's machine
	Size   int64  `json:"size"`             // in bytes
}

// BackUp copies a store that no server uses.
func BackUp(ctx context.Context, dir, name string, o Output) error {
	path, size, err := bolt.BackupStopped(dir, name, o.progress(ctx))
	if err != nil {
		return err
	}
	return o.Tell(Backup{Path: path, Size: size})
}

// Tell tells of a backup.
func (o Output) Tell(b Backup) error {
	return o.write(b, fmt.Sprintf("%s: %d bytes\n", b.Path, b.Size))
}
