// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newLedger(logs *logFlags) *cobra.Command {
	var o app.LedgerOptions
	c := &cobra.Command{
		Use:   "ledger",
		Short: "Check, rebuild, copy, back up and restore a community's ledger",
		Long: `Looks after the durable record of a community. Only backup works while kith run does; the others need the ledger alone.
A hub in a pod lends it to commands that run in the same pod, for as long as they take.

Name the ledger by its folder (--data-dir) or by its community (--community), whose default folder is taken then.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	ledgerFlags(c, &o)
	c.AddCommand(ledgerRebuild(logs, &o), ledgerCheck(logs, &o), ledgerRetry(logs, &o), ledgerCopyOut(logs, &o), ledgerBackup(logs, &o), ledgerRestore(logs, &o))
	return c
}

// ledgerFlags say which ledger is meant.
func ledgerFlags(c *cobra.Command, o *app.LedgerOptions) {
	f := c.PersistentFlags()
	f.StringVar(&o.DataDir, "data-dir", "", "folder of the ledger")
	f.StringVar(&o.Community, "community", "", "the community whose ledger is meant, where it lies in the default folder")
	f.StringVar(&o.KeyFile, "key-file", "", "file of the identity key (default identity.key beside the ledger)")
	f.StringVar(&o.PreviousKeyFile, "previous-key-file", "", "file of the identity key before it, while it is being replaced")
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkPersistentFlagDirname("data-dir")
}

func ledgerRebuild(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	const recorded, current = "recorded", "current"
	var under string
	var ro app.RecomputeOptions
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Derive everything anew from the record",
		Long: `Derives threads, members' activity and behaviours anew from the recorded events, under the definitions that were in
force then, and puts them in the place of what is there. Exported counters do not move.

With --blueprint current it recomputes the whole record under the manifests of a folder instead, as if they had been in
force from the start, and tells for each behaviour what was recorded and what it would be, and how far back that reaches.
It changes nothing then.`,
		Example: `  kith ledger rebuild --community acme
  kith ledger rebuild --blueprint current -f community`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			switch {
			case under == current:
				return app.LedgerRecompute(c.Context(), std, *o, ro)
			case under != recorded:
				return app.Usagef("--blueprint %q is not known: give %s or %s", under, recorded, current)
			case c.Flags().Changed("filename") || c.Flags().Changed("output"):
				return app.Usagef("-f and -o go with --blueprint %s: a rebuild takes its definitions from the record", current)
			}
			return app.LedgerRebuild(c.Context(), std, *o)
		},
	}
	c.Flags().StringVar(&under, "blueprint", recorded, "under which definitions: "+recorded+", or "+current+" to recompute and change nothing")
	complete(c, "blueprint", recorded, current)
	c.Flags().StringVarP(&ro.Folder, "filename", "f", "", "folder with the manifests, for --blueprint "+current)
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkFlagDirname("filename")
	outputFlag(c, &ro.Output, app.OutputText, app.OutputJSON)
	return c
}

func ledgerCheck(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:     "check",
		Short:   "Compare the ledger with what its record comes to",
		Long:    "Derives everything anew beside the ledger and tells the differences. It changes nothing; with a difference the exit code is 1.",
		Example: "  kith ledger check --data-dir /var/lib/kith",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.LedgerCheck(c.Context(), std, *o, limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many differences to tell")
	return c
}

func ledgerRetry(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "retry",
		Short:   "Process again what was set aside",
		Long:    "Processes again what could not be processed when it was read, and tells what still cannot. With something left the exit code is 1.",
		Example: "  kith ledger retry --community acme",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.LedgerRetry(c.Context(), std, *o)
		},
	}
}

func ledgerCopyOut(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "copy-out",
		Short: "Write the canonical copy, as JSON lines",
		Long: `Writes events with their facts, conversations, occurrences and totals. The same community gives the same bytes, however
it was read; texts, identities and what differs from run to run are left out.`,
		Example: "  kith ledger copy-out --community acme > acme.jsonl",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.LedgerCopyOut(c.Context(), std, *o)
		},
	}
}

func ledgerBackup(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the ledger to a file, also while kith runs",
		Long: `Writes a consistent copy to a file that does not exist yet. The identity key is not part of it: without that key the
copy cannot be restored, so keep it too, elsewhere. FILE - is standard output.`,
		Example: `  kith ledger backup --community acme /backup/acme-2026-11-22.db
  kubectl exec deploy/acme-hub -- /kith ledger backup --data-dir /var/lib/kith - > acme.db`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.LedgerBackup(c.Context(), std, *o, args[0])
		},
	}
}

func ledgerRestore(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the ledger's place",
		Long: `Replaces the ledger by a backup, and erases again whoever asked for that since: the journal of erasures lies beside the
ledger and is not part of a backup. The next run reads from the platforms what is missing. FILE - is standard input.`,
		Example: `  kith ledger restore --community acme /backup/acme-2026-11-22.db
  kubectl exec -i deploy/acme-hub -- /kith ledger restore --data-dir /var/lib/kith --yes - < acme.db`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.LedgerRestore(c.Context(), std, *o, args[0], yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
