// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newMember(logs *logFlags) *cobra.Command {
	var o app.LedgerOptions
	c := &cobra.Command{
		Use:   "member",
		Short: "Find, export, erase members, or note that one objects",
		Long: `Answers what members may ask of whoever holds data about them (in the European Union: articles 15, 17, 20 and 21 of the
GDPR). WHO is the account's id on its platform, its handle, or the member id that find shows. kith run must be
stopped; a hub in a pod lends its ledger to commands that run in the same pod.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	ledgerFlags(c, &o)
	c.AddCommand(memberFind(logs, &o), memberExport(logs, &o), memberErase(logs, &o), memberObject(logs, &o))
	return c
}

func memberFind(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "find WHO",
		Short:   "Show whose accounts these are",
		Example: "  kith member find --community acme some-handle",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.MemberFind(c.Context(), std, *o, args[0], output)
		},
	}
	outputFlag(c, &output, app.OutputText, app.OutputJSON)
	return c
}

func memberExport(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "export WHO",
		Short:   "Write everything that is held about a member, as JSON",
		Example: "  kith member export --community acme some-handle > export.json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.MemberExport(c.Context(), std, *o, args[0])
		},
	}
}

func memberErase(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "erase WHO",
		Short: "Forget a member for good",
		Long: `Erases a member's accounts, texts and what waits, and keeps the accounts from being read again. What was done stays as
numbers that lead to nobody. It cannot be undone, and is done again to every backup that is restored.`,
		Example: "  kith member erase --community acme some-handle",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.MemberErase(c.Context(), std, *o, args[0], yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func memberObject(logs *logFlags, o *app.LedgerOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "object WHO",
		Short:   "Note that a member objects to being counted",
		Example: "  kith member object --community acme some-handle",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.MemberObject(c.Context(), std, *o, args[0])
		},
	}
}
