package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A supervisor listens on a socket in the abstract namespace, so that it needs no writable folder. That namespace is the pod's, and
// process ids may be; the mount namespace is the container's own, and what is started by exec in the container shares it.
func controlAddress() (*net.UnixAddr, error) {
	namespace, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return nil, err
	}
	return &net.UnixAddr{Net: "unix", Name: "@devloop-agent " + namespace}, nil
}

// listenForRestarts passes on who asks for a restart; each is told how it went.
func listenForRestarts(asked chan<- chan<- restarted) error {
	address, err := controlAddress()
	if err != nil {
		return err
	}
	listener, err := net.ListenUnix("unix", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			client, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				fmt.Fprintln(client, answerRestart(client, asked))
			}()
		}
	}()
	return nil
}

func answerRestart(client *net.UnixConn, asked chan<- chan<- restarted) string {
	if user, err := peerUser(client); err != nil || (user != 0 && int(user) != os.Geteuid()) {
		return fmt.Sprintf("failed user %d may not restart what user %d runs", user, os.Geteuid())
	}
	line, err := bufio.NewReader(io.LimitReader(client, 64)).ReadString('\n')
	if err != nil || line != "restart\n" {
		return "failed not understood"
	}
	result := make(chan restarted, 1)
	asked <- result
	if got := <-result; got.err != nil {
		return "failed " + got.err.Error()
	} else {
		return "started " + strconv.Itoa(got.pid)
	}
}

func peerUser(client *net.UnixConn) (uint32, error) {
	raw, err := client.SyscallConn()
	if err != nil {
		return 0, err
	}
	var user uint32
	var failure error
	err = raw.Control(func(descriptor uintptr) {
		credentials, err := syscall.GetsockoptUcred(int(descriptor), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err != nil {
			failure = err
			return
		}
		user = credentials.Uid
	})
	return user, errors.Join(err, failure)
}

// No supervisor in this container.
var errNoSupervisor = errors.New("the main process was not started by the agent")

// askForRestart has the container's supervisor start its command anew, and returns when that has happened.
func askForRestart() error {
	address, err := controlAddress()
	if err != nil {
		return err
	}
	connection, err := net.DialUnix("unix", nil, address)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return errNoSupervisor
		}
		return err
	}
	defer connection.Close()
	if _, err := fmt.Fprintln(connection, "restart"); err != nil {
		return err
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return errors.New("the supervisor ended before it had started anything")
	}
	if said, failed := strings.CutPrefix(line, "failed "); failed {
		return errors.New(strings.TrimSpace(said))
	}
	return nil
}
