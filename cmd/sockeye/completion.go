package main

import (
	"io"

	"github.com/spf13/cobra"
)

func completionCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes a shell complete this command's words",
		Long:  "completion prints a script for bash, zsh, fish or powershell.",
		Example: `  sockeye completion bash > /etc/bash_completion.d/sockeye
  sockeye completion zsh > "${fpath[1]}/_sockeye"
  sockeye completion fish > ~/.config/fish/completions/sockeye.fish
  sockeye completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(stdout, true)
			case "zsh":
				return root.GenZshCompletion(stdout)
			case "fish":
				return root.GenFishCompletion(stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(stdout)
		},
	}
}
