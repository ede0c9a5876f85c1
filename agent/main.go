// The agent: a small static program that devloop puts into a container. It writes what is synced (serve), is the parent of the
// container's own command so that it can be replaced in place (run), and copies itself to where both are found (install).
// docs/agent.md describes it.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

// The hash of the sources this was built from; set by the build.
var version = "unknown"

const usage = `agent install FOLDER             copy this program to FOLDER/agent
agent run -- COMMAND [ARG...]    run a command, and replace it by a new one on SIGURG or when serve is asked to
agent serve --root PATH...       speak the frame protocol on stdin and stdout
agent hold                       say who runs here, and stay, for containers that execute this one's /proc/PID/exe
agent lookup HOST                print the addresses of a name, as the pod that this runs in knows them
agent version
`

func main() {
	// the environment is the container's, and may turn this off for a program of its own
	debug.SetGCPercent(100)
	os.Exit(command(os.Args[1:]))
}

func command(args []string) int {
	if len(args) == 0 {
		return misused("no subcommand")
	}
	switch name, rest := args[0], args[1:]; {
	case name == "install" && len(rest) == 1:
		if err := install(rest[0]); err != nil {
			fmt.Fprintf(os.Stderr, "devloop agent: %s was not written: %v\n", rest[0], err)
			return 1
		}
		return 0
	case name == "run" && len(rest) > 1 && rest[0] == "--":
		return supervise(rest[1:])
	case name == "serve":
		roots, err := rootArguments(rest)
		if err != nil {
			return misused(err.Error())
		}
		return serve(os.Stdin, os.Stdout, roots)
	case name == "hold" && len(rest) == 0:
		return hold(os.Stdout)
	case name == "lookup" && len(rest) == 1:
		return lookup(rest[0], os.Stdout)
	case name == "version" && len(rest) == 0:
		fmt.Println(version)
		return 0
	}
	return misused(fmt.Sprintf("%q", args))
}

func misused(what string) int {
	fmt.Fprintf(os.Stderr, "devloop agent: %s\n%s", what, usage)
	return 2
}

func rootArguments(args []string) ([]string, error) {
	roots := []string{}
	for len(args) > 0 {
		if args[0] != "--root" || len(args) < 2 || args[1] == "" || args[1][0] != '/' {
			return nil, fmt.Errorf("--root and an absolute path expected, not %q", args)
		}
		roots = append(roots, args[1])
		args = args[2:]
	}
	return roots, nil
}
