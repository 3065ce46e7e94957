// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kith-dev/kith/internal/app"
)

// logFlags are those of every command.
type logFlags struct {
	verbosity int
	format    string
}

func newRoot() *cobra.Command {
	var logs logFlags
	c := &cobra.Command{
		Use:   "kith",
		Short: "Shows what the members of a community do for each other",
		Long: `kith reads the places where a community lives (forums, feeds, archives) and shows what its members do for each
other: questions answered, problems solved, newcomers who come back. Never posts, likes or views.

Begin with a place that you know. Nothing is kept, nothing needs to be declared:

  kith try https://forum.example.org

Then declare what matters to you in a folder, and let kith watch it:

  kith validate -f community
  kith run -f community`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		// Cobra checks this itself, but says so as if the command had failed.
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return app.Usagef("%w (see %s --help)", err, c.CommandPath())
			}
			return nil
		},
	}
	c.PersistentFlags().CountVarP(&logs.verbosity, "verbose", "v", "tell more; -vv tells everything")
	c.PersistentFlags().StringVar(&logs.format, "log-format", app.LogText, "logs as text or json")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return app.Usagef("%w (see %s --help)", err, c.CommandPath())
	})
	c.AddCommand(newTry(&logs), newRun(&logs), newValidate(&logs), newConnectors(&logs), newLibrary(&logs), newLedger(&logs), newMember(&logs), newHub(&logs), newConnector(&logs), newOperator(&logs), newVersion(&logs))
	complete(c, "log-format", app.LogText, app.LogJSON)
	return c
}

// usageArgs makes what cobra says of arguments an error of usage, with where to read on.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return app.Usagef("%w (see %s --help)", err, c.CommandPath())
		}
		return nil
	}
}

// complete lets shells offer a flag's values.
func complete(c *cobra.Command, flag string, values ...string) {
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// stdio is where a command reads and writes.
func (l *logFlags) stdio(c *cobra.Command) (app.Stdio, error) {
	log, err := app.NewLog(c.ErrOrStderr(), l.format, l.verbosity)
	if err != nil {
		return app.Stdio{}, err
	}
	return app.Stdio{
		In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr(), Log: log,
		// Logs beside bars would tear them apart.
		Terminal: l.verbosity == 0 && l.format == app.LogText && isTerminal(c.ErrOrStderr()),
	}, nil
}

// isTerminal says whether bars can be drawn on w: some terminals cannot move, and some have no size.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return err == nil && width > 0
}

// outputFlag is -o.
func outputFlag(c *cobra.Command, into *string, values ...string) {
	help := "write "
	for i, v := range values {
		if i > 0 {
			help += " or "
		}
		help += v
	}
	c.Flags().StringVarP(into, "output", "o", values[0], help)
	complete(c, "output", values...)
}
