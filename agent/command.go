package main

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	outputMain   = 1
	outputErrors = 2

	// How long a cancelled command has to end by itself.
	cancelGrace = time.Second
	// How long output may still come after a command has ended: what it left in the background may hold it open for ever.
	outputGrace = 500 * time.Millisecond
)

// commands runs commands beside the writing of files, each under the number of the frame that asked for it.
type commands struct {
	writer  *frameWriter
	lock    sync.Mutex
	running map[uint32]*exec.Cmd
}

// run starts a command in this process's working folder, as a user ("" = that of this process); its output and end are sent when they come.
func (c *commands) run(number uint32, user string, argv []string) {
	command := exec.Command(argv[0], argv[1:]...)
	// a group of its own, so that it can be ended with what it started
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Stdout = outputWriter{c.writer, number, outputMain}
	command.Stderr = outputWriter{c.writer, number, outputErrors}
	command.WaitDelay = outputGrace
	if user != "" {
		credential, environment, err := asUser(user)
		if err != nil {
			c.writer.send(kindFailed, number, failedBody(failure{"user", user, err.Error()}))
			return
		}
		command.SysProcAttr.Credential, command.Env = credential, environment
	}
	if err := command.Start(); err != nil {
		code, _ := describe(unwrapped(err))
		if errors.Is(err, exec.ErrNotFound) {
			code = "ENOENT"
		}
		c.writer.send(kindFailed, number, failedBody(failure{code, argv[0], unwrapped(err).Error()}))
		return
	}
	c.lock.Lock()
	c.running[number] = command
	c.lock.Unlock()
	go func() {
		_ = command.Wait()
		c.lock.Lock()
		delete(c.running, number)
		c.lock.Unlock()
		status := command.ProcessState.Sys().(syscall.WaitStatus)
		code := status.ExitStatus()
		if status.Signaled() {
			code = 128 + int(status.Signal())
		}
		c.writer.send(kindExited, number, binary.BigEndian.AppendUint32(nil, uint32(code)))
	}()
}

// cancel ends a command and what it started: asked first, killed when that does not help.
func (c *commands) cancel(number uint32) {
	c.lock.Lock()
	command := c.running[number]
	c.lock.Unlock()
	if command != nil {
		end(command.Process.Pid, cancelGrace)
	}
}

// cancelAll ends everything that still runs.
func (c *commands) cancelAll() {
	c.lock.Lock()
	all := []*exec.Cmd{}
	for _, command := range c.running {
		all = append(all, command)
	}
	c.lock.Unlock()
	var ended sync.WaitGroup
	for _, command := range all {
		ended.Add(1)
		go func() {
			defer ended.Done()
			end(command.Process.Pid, cancelGrace)
		}()
	}
	ended.Wait()
}

// end ends a process group and all that descends from its leader.
func end(leader int, grace time.Duration) {
	tree := below(leader)
	_ = syscall.Kill(-leader, syscall.SIGTERM)
	signalAll(tree, syscall.SIGTERM)
	until := time.Now().Add(grace)
	for time.Now().Before(until) {
		if syscall.Kill(-leader, 0) != nil && len(alive(tree)) == 0 {
			return
		}
		time.Sleep(lookAgain)
	}
	signalAll(append(alive(tree), below(leader)...), syscall.SIGKILL)
	_ = syscall.Kill(-leader, syscall.SIGKILL)
}

type outputWriter struct {
	writer *frameWriter
	number uint32
	stream byte
}

func (o outputWriter) Write(output []byte) (int, error) {
	o.writer.send(kindOutput, o.number, append([]byte{o.stream}, output...))
	return len(output), nil
}

// completePath gives commands the usual folders where the container has no PATH.
func completePath() {
	if os.Getenv("PATH") == "" {
		_ = os.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
}
