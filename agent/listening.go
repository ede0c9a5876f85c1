package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// How often it is looked: at first as often as somebody who waits would notice, then less.
	listeningFirst = 2 * time.Millisecond
	listeningLast  = 100 * time.Millisecond
)

// waitUntilListening returns when something in this network namespace listens on a TCP port, or when it was cancelled. It reads what the
// kernel says of sockets: a connection would show in the app's log.
func waitUntilListening(port uint32, cancelled <-chan struct{}) {
	for pause := listeningFirst; !isClosed(cancelled) && !isListening(port); {
		time.Sleep(pause)
		pause = min(pause+pause/8, listeningLast)
	}
}

func isListening(port uint32) bool {
	return listensIn("/proc/net/tcp", port) || listensIn("/proc/net/tcp6", port)
}

// listensIn looks for a socket in state LISTEN (0A) in a table of the kernel's: number, local address, remote address, state, all in
// hexadecimal (proc_net_tcp.rst of the kernel).
func listensIn(table string, port uint32) bool {
	file, err := os.Open(table)
	if err != nil {
		return false
	}
	defer file.Close()
	wanted := ":" + strings.ToUpper(strconv.FormatUint(uint64(port)|1<<16, 16)[1:])
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && fields[3] == "0A" && strings.HasSuffix(fields[1], wanted) {
			return true
		}
	}
	return false
}
