package bench

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

func compareCommand(stdout io.Writer) *cobra.Command {
	var tolerance float64
	cmd := &cobra.Command{
		Use:   "compare BEFORE.json AFTER.json",
		Short: "Compare two runs",
		Example: `  sockeye bench compare before.json after.json
  sockeye bench compare --tolerance 10 before.json after.json   exit code 1 if it is more than 10% worse`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := load(args[0])
			if err != nil {
				return err
			}
			after, err := load(args[1])
			if err != nil {
				return err
			}
			worse := compare(stdout, cli.StyleOf(stdout), before, after, tolerance)
			if tolerance > 0 && worse > 0 {
				return cli.Failf("", "worse by more than %g%%: %d of the figures", tolerance, worse)
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&tolerance, "tolerance", 0, "fail if a figure is more than this many percent worse; 0 never fails")
	return cmd
}

// compare shows both runs and returns how many figures are worse by more than the
// tolerance, in percent. The largest values are shown and not judged: they are
// those of one moment.
func compare(w io.Writer, s cli.Style, before, after *result, tolerance float64) (worse int) {
	if a, b := before.Config, after.Config; a.Scenario != b.Scenario || a.Clients != b.Clients || a.Rate != b.Rate || a.Size != b.Size {
		fmt.Fprintf(w, "%s these are different runs: %s with %d clients at %g/s, and %s with %d at %g/s\n\n", s.Yellow("!"),
			a.Scenario, a.Clients, a.Rate, b.Scenario, b.Clients, b.Rate)
	}
	for name, r := range map[string]*result{"the first": before, "the second": after} {
		if r.Tool.Limit != "" {
			fmt.Fprintf(w, "%s in %s run the tool was the limit: %s\n", s.Yellow("!"), name, r.Tool.Limit)
		}
	}
	fmt.Fprintf(w, "%-14s %12s %12s %9s\n", "", "before", "after", "")
	row := func(name string, a, b float64, more bool, judged bool) {
		if a == 0 && b == 0 {
			return
		}
		change := "–"
		if a != 0 {
			percent := 100 * (b - a) / a
			change = fmt.Sprintf("%+.1f%%", percent)
			if more {
				percent = -percent
			}
			if judged && tolerance > 0 && percent > tolerance {
				worse++
				change = s.Red(change)
			}
		}
		fmt.Fprintf(w, "%-14s %12.2f %12.2f %9s\n", name, a, b, change)
	}
	row("rate /s", before.Rate, after.Rate, true, true)
	row("errors %", 100*before.errorShare(), 100*after.errorShare(), false, true)
	for _, q := range []string{"mean", "p50", "p90", "p99", "p999", "max"} {
		row(q+" ms", quantile(before.Latency, q), quantile(after.Latency, q), false, q != "max")
	}
	row("connect p50 ms", before.Connect.P50, after.Connect.P50, false, true)
	row("connect p99 ms", before.Connect.P99, after.Connect.P99, false, true)
	return worse
}
