package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// hold says who runs in this process namespace, and then only stays: a container that shares it can execute this program as
// /proc/PID/exe, whatever its own file system holds, when it runs as the same user and group. A line for each process, `PID UID GID`,
// this one first. It ends when it is told to.
func hold(output io.Writer) int {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	self := os.Getpid()
	fmt.Fprintf(output, "%d %d %d\n", self, os.Getuid(), os.Getgid())
	names, err := os.ReadDir("/proc")
	if err != nil {
		fmt.Fprintf(os.Stderr, "devloop agent: %v\n", err)
		return 1
	}
	for _, one := range names {
		pid, err := strconv.Atoi(one.Name())
		if err != nil || pid == self {
			continue
		}
		// who has ended meanwhile is nobody's concern
		if uid, gid, err := idsOf(pid); err == nil {
			fmt.Fprintf(output, "%d %s %s\n", pid, uid, gid)
		}
	}
	fmt.Fprintln(output, "holding")
	<-told
	return 0
}

// The real user and group of a process, which anybody may read.
func idsOf(pid int) (uid, gid string, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		switch fields := strings.Fields(lines.Text()); {
		case len(fields) > 1 && fields[0] == "Uid:":
			uid = fields[1]
		case len(fields) > 1 && fields[0] == "Gid:":
			return uid, fields[1], nil
		}
	}
	return "", "", io.ErrUnexpectedEOF
}
