package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	// How long a command may take to end after it was asked, until it is killed.
	restartGrace = 3 * time.Second
	// How long after that a restart counts as failed.
	restartLimit = 12 * time.Second
	// What of the command outlives its first process is not told by a signal everywhere.
	lookAgain = 20 * time.Millisecond

	prSetChildSubreaper = 36
)

// supervisor runs a command and replaces it when it is asked to. All of it belongs to one goroutine.
type supervisor struct {
	path string
	argv []string
	// The command's process; 0 = none, it has ended.
	child  int
	status syscall.WaitStatus
	// Told to stop: nothing is started any more.
	stop bool
	// What is being ended so that it can be started anew; nil = no restart is under way.
	ending []process
	since  time.Time
	killed bool
	// Who waits for the new process, or for why there is none.
	waiting []chan<- restarted
}

type restarted struct {
	pid int
	err error
}

// supervise runs a command in the place of this process: signals are passed on, ends of processes are taken note of, and the exit
// code is the command's (128 + n for signal n). It says which process it runs by its own name in /proc/PID/comm, `devloop:PID`:
// that is how the shell loop finds it, which asks by SIGURG.
func supervise(argv []string) int {
	path, err := exec.LookPath(argv[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return cannotStart(argv[0], err)
	}
	// as under nohup: what is ignored from the start stays so, for the command too
	ignored := []os.Signal{}
	for _, one := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(one) {
			ignored = append(ignored, one)
		}
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	if len(ignored) > 0 {
		signal.Ignore(ignored...)
	}
	// orphans come here also where this is not process 1
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
	asked := make(chan chan<- restarted)
	if err := listenForRestarts(asked); err != nil {
		fmt.Fprintf(os.Stderr, "devloop agent: it cannot be asked to restart: %v\n", err)
	}

	s := &supervisor{path: path, argv: argv}
	if err := s.start(); err != nil {
		return cannotStart(path, err)
	}
	for {
		var later <-chan time.Time
		if s.ending != nil {
			later = time.After(lookAgain)
		}
		select {
		case got := <-signals:
			s.take(got.(syscall.Signal))
		case waiting := <-asked:
			s.waiting = append(s.waiting, waiting)
			if s.ending == nil {
				s.end()
			}
		case <-later:
		}
		left := s.reap()
		switch {
		case s.ending == nil && s.child == 0:
			return s.exitCode()
		case s.ending == nil:
		case s.child == 0 && (!left || len(alive(s.ending)) == 0):
			s.ending = nil
			if s.stop {
				return s.exitCode()
			}
			if err := s.start(); err != nil {
				s.answer(restarted{err: err})
				return cannotStart(path, err)
			}
			s.answer(restarted{pid: s.child})
		case time.Since(s.since) > restartGrace && !s.killed:
			s.kill()
		case time.Since(s.since) > restartLimit:
			s.answer(restarted{err: fmt.Errorf("process %d did not end within %v", s.child, restartLimit)})
		}
	}
}

func (s *supervisor) start() error {
	attributes := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}}
	for attempt := 0; ; attempt++ {
		pid, err := syscall.ForkExec(s.path, s.argv, attributes)
		// whoever wrote the program may still be in the middle of starting something, with the file open
		if err == syscall.ETXTBSY && attempt < 20 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		s.child, s.status = pid, 0
		_ = os.WriteFile("/proc/self/comm", []byte("devloop:"+strconv.Itoa(pid)), 0)
		return nil
	}
}

func (s *supervisor) take(got syscall.Signal) {
	switch got {
	case syscall.SIGCHLD, syscall.SIGPIPE:
		return
	case syscall.SIGURG:
		if s.ending == nil {
			s.end()
		} else if !s.killed {
			s.kill()
		}
		return
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
		s.stop = true
	}
	if s.child != 0 {
		_ = syscall.Kill(s.child, got)
	}
}

// end asks the command, with everything it started, to end.
func (s *supervisor) end() {
	s.ending, s.since, s.killed = below(os.Getpid()), time.Now(), false
	signalAll(s.ending, syscall.SIGTERM)
}

func (s *supervisor) kill() {
	s.killed = true
	s.ending = append(alive(s.ending), below(os.Getpid())...)
	signalAll(s.ending, syscall.SIGKILL)
}

// reap takes note of processes that have ended. Returns whether there are others.
func (s *supervisor) reap() bool {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return false
		case pid == 0:
			return true
		case pid == s.child:
			s.child, s.status = 0, status
		}
	}
}

func (s *supervisor) answer(result restarted) {
	for _, waiting := range s.waiting {
		waiting <- result
	}
	s.waiting = nil
}

func (s *supervisor) exitCode() int {
	if s.status.Signaled() {
		return 128 + int(s.status.Signal())
	}
	return s.status.ExitStatus()
}

// cannotStart says why a command was not started; the exit codes are those of a shell.
func cannotStart(program string, err error) int {
	fmt.Fprintf(os.Stderr, "devloop agent: %s: %v\n", program, err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}
