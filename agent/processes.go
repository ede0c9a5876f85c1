package main

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// process is one process as /proc shows it. The time it was started tells it from a later one with its id.
type process struct {
	pid, parent int
	started     string
	zombie      bool
}

// readProcess looks one up; ok is false when there is none.
func readProcess(pid int) (found process, ok bool) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// the name, in parentheses, may hold anything
	facts := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(facts) < 20 {
		return process{}, false
	}
	parent, _ := strconv.Atoi(string(facts[1]))
	return process{pid, parent, string(facts[19]), facts[0][0] == 'Z'}, true
}

// below finds everything that descends from these processes, without themselves and without what has ended.
func below(ancestors ...int) []process {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	children := map[int][]process{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if found, ok := readProcess(pid); ok {
			children[found.parent] = append(children[found.parent], found)
		}
	}
	tree := []process{}
	for len(ancestors) > 0 {
		next := children[ancestors[0]]
		delete(children, ancestors[0])
		ancestors = ancestors[1:]
		for _, child := range next {
			ancestors = append(ancestors, child.pid)
			if !child.zombie {
				tree = append(tree, child)
			}
		}
	}
	return tree
}

// alive leaves those that have not ended.
func alive(some []process) []process {
	left := []process{}
	for _, one := range some {
		if now, ok := readProcess(one.pid); ok && now.started == one.started && !now.zombie {
			left = append(left, one)
		}
	}
	return left
}

func signalAll(some []process, signal syscall.Signal) {
	for _, one := range some {
		_ = syscall.Kill(one.pid, signal)
	}
}
