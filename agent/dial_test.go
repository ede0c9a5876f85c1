package main

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

func dialed(t *testing.T, host string, port int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dialMost)
	defer cancel()
	err := dial(ctx, host, uint32(port))
	var known failure
	if err != nil && !errors.As(err, &known) {
		t.Fatalf("no failure with a code: %v", err)
	}
	return known.code
}

func TestDialTellsNamesFromPorts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if code := dialed(t, "127.0.0.1", port); code != "" {
		t.Errorf("a port that is listened on: %q", code)
	}
	listener.Close()
	if code := dialed(t, "127.0.0.1", port); code != "tcp" {
		t.Errorf("a port that nobody listens on: %q", code)
	}
	if code := dialed(t, "no such name.invalid", port); code != "dns" {
		t.Errorf("a name that nobody knows: %q", code)
	}
}

func TestDialEndsWhenItIsCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	begun := time.Now()
	// an address of documentation's, where nothing answers
	if dial(ctx, "192.0.2.1", 1) == nil || time.Since(begun) > dialMost/2 {
		t.Errorf("it went on for %v", time.Since(begun))
	}
}
