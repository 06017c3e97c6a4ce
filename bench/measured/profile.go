//go:build linux

package measured

import (
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
)

// CollectOnSignal has a SIGHUP collect garbage and give back to the system what is
// free, and says so on standard output.
func CollectOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	for range signals {
		runtime.GC() // what has a finalizer goes at the second
		debug.FreeOSMemory()
		os.Stdout.WriteString("collected\n")
	}
}

// profileOnSignal writes profiles of what happens between a SIGUSR1 and a
// SIGUSR2 into files that begin with prefix, and then a line to standard output.
func profileOnSignal(prefix string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	var cpu *os.File
	for s := range signals {
		if s == syscall.SIGUSR1 {
			cpu, _ = os.Create(prefix + ".cpu")
			runtime.SetMutexProfileFraction(5)
			runtime.SetBlockProfileRate(10_000)
			_ = pprof.StartCPUProfile(cpu)
			continue
		}
		pprof.StopCPUProfile()
		_ = cpu.Close()
		for _, name := range []string{"allocs", "heap", "mutex", "block"} {
			if f, err := os.Create(prefix + "." + name); err == nil {
				_ = pprof.Lookup(name).WriteTo(f, 0)
				_ = f.Close()
			}
		}
		os.Stdout.WriteString("profiled\n")
	}
}
