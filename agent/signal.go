package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// A process that was just started has not said yet which signals it handles.
	signalPatience = 2 * time.Second
	signalPause    = 20 * time.Millisecond
	// So often in a row a signal must be seen blocked: a shell that starts one program after the other on a busy machine may block all for
	// half of its time, and would be ended by a signal that it does not wait for.
	signalBlocks = 15
)

// Signals by which apps are told to reload. No other is sent.
var reloadSignals = map[syscall.Signal]bool{
	syscall.SIGHUP: true, syscall.SIGUSR1: true, syscall.SIGUSR2: true, syscall.SIGWINCH: true,
}

// The process that would get it, by number and name, does not take the signal.
type notTaken struct{ who string }

func (n notTaken) Error() string { return n.who }

// signalMain sends a signal to the container's main process if that takes it: one that it does not handle would end it.
func signalMain(sent syscall.Signal) error {
	pid, err := mainProcess()
	if err != nil {
		return err
	}
	return sendIfTaken(pid, sent, signalPatience)
}

// mainProcess finds it: under a supervisor of devloop's, agent or shell, what that runs; else the oldest process of this container, which is 1
// where the container has process ids of its own. Who belongs to the container is told by the control group, which anybody may read.
func mainProcess() (int, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, err
	}
	names, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	oldest, since := 0, uint64(0)
	for _, one := range names {
		pid, err := strconv.Atoi(one.Name())
		if err != nil {
			continue
		}
		its, err := os.ReadFile("/proc/" + one.Name() + "/cgroup")
		if err != nil || !bytes.Equal(its, own) {
			continue
		}
		if child, found := strings.CutPrefix(nameOf(pid), "devloop:"); found {
			if supervised, err := strconv.Atoi(child); err == nil {
				return supervised, nil
			}
		}
		if found, ok := readProcess(pid); ok {
			if started, err := strconv.ParseUint(found.started, 10, 64); err == nil && (oldest == 0 || started < since) {
				oldest, since = pid, started
			}
		}
	}
	if oldest == 0 {
		return 0, errors.New("no process of this container was found")
	}
	return oldest, nil
}

// nameOf gives the name of a process; "" = it has ended.
func nameOf(pid int) string {
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(name), "\n")
}

// sendIfTaken waits a while for a process to handle a signal, and then sends it; notTaken when it never does. One that is blocked is waited
// for by who blocks it, if that lasts: whoever starts a program blocks all for a moment.
func sendIfTaken(pid int, sent syscall.Signal, patience time.Duration) error {
	blocks := 0
	for deadline := time.Now().Add(patience); ; time.Sleep(signalPause) {
		caught, blocked, err := takes(pid, sent)
		if err != nil {
			return err
		}
		if blocked {
			blocks++
		} else {
			blocks = 0
		}
		name := nameOf(pid)
		// a shell that has not become its program yet
		if (caught || blocks >= signalBlocks) && !strings.HasPrefix(name, "devloop") {
			return syscall.Kill(pid, sent)
		}
		if time.Now().After(deadline) {
			return notTaken{fmt.Sprintf("%d (%s)", pid, name)}
		}
	}
}

// takes says whether a process catches a signal, and whether it blocks it. One that waits for a program that it is starting (state D) does not
// count as blocking.
func takes(pid int, sent syscall.Signal) (caught, blocked bool, err error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false, false, err
	}
	starting := false
	for _, line := range strings.Split(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		mask, _ := strconv.ParseUint(value, 16, 64)
		has := mask&(1<<(uint(sent)-1)) != 0
		switch key {
		case "State":
			starting = strings.HasPrefix(value, "D")
		case "SigBlk":
			blocked = has && !starting
		case "SigCgt":
			caught = has
		}
	}
	return caught, blocked, nil
}
