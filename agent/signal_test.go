package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What handles a signal gets it, and nothing is sent to what does not.
func TestSignalsAreSentToWhatTakesThem(t *testing.T) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR2)
	defer signal.Stop(got)
	if err := sendIfTaken(os.Getpid(), syscall.SIGUSR2, 0); err != nil {
		t.Fatal(err)
	}
	if sent := <-got; sent != syscall.SIGUSR2 {
		t.Errorf("%v came", sent)
	}

	sleeper := exec.Command("sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() }()
	for sent := range reloadSignals {
		var refused notTaken
		if err := sendIfTaken(sleeper.Process.Pid, sent, 0); !errors.As(err, &refused) {
			t.Fatalf("%v", err)
		} else if !strings.HasPrefix(refused.who, strconv.Itoa(sleeper.Process.Pid)+" (") {
			t.Errorf("%s was named", refused.who)
		}
	}
	if now, ok := readProcess(sleeper.Process.Pid); !ok || now.zombie {
		t.Error("it was ended")
	}
}

// A shell blocks all signals while it starts another program: that is no wait for one.
func TestSignalsAreNotSentToWhatBlocksThemForAMoment(t *testing.T) {
	busy := exec.Command("sh", "-c", "while :; do /bin/true; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Process.Kill(); _ = busy.Wait() }()
	for nameOf(busy.Process.Pid) != "sh" {
		time.Sleep(time.Millisecond)
	}
	var refused notTaken
	if err := sendIfTaken(busy.Process.Pid, syscall.SIGHUP, time.Second); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
}

func TestSignalsAreSentToWhatBlocksThemToWait(t *testing.T) {
	waiting := exec.Command("env", "--block-signal=HUP", "sleep", "1000")
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = waiting.Process.Kill(); _ = waiting.Wait() }()
	if err := sendIfTaken(waiting.Process.Pid, syscall.SIGHUP, 10*time.Second); err != nil {
		t.Error(err)
	}
}

// A process that was just started is given time.
func TestSignalsWaitForAProcessThatStarts(t *testing.T) {
	slow := exec.Command("sh", "-c", "sleep 0.3; trap 'exit 7' HUP; while :; do sleep 0.02; done")
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	// before it is the shell it is a copy of this process, which blocks all signals; copies of the supervisor are known by their name
	for nameOf(slow.Process.Pid) != "sh" {
		time.Sleep(time.Millisecond)
	}
	if err := sendIfTaken(slow.Process.Pid, syscall.SIGHUP, 10*time.Second); err != nil {
		_ = slow.Process.Kill()
		t.Error(err)
	}
	if err := slow.Wait(); slow.ProcessState.ExitCode() != 7 {
		t.Error(err)
	}
}
