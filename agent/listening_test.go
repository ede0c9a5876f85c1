package main

import (
	"net"
	"testing"
	"time"
)

func TestWaitsUntilAPortIsListenedOn(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		first, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err)
			continue
		}
		port := uint32(first.Addr().(*net.TCPAddr).Port)
		if !isListening(port) {
			t.Fatalf("%s is not seen", first.Addr())
		}
		// a connection of which this is the other end's port is no listener
		client, err := net.Dial("tcp", first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		first.Close()
		if isListening(port) || isListening(uint32(client.LocalAddr().(*net.TCPAddr).Port)) {
			t.Fatal("a connection is taken for a listener")
		}
		client.Close()

		done := make(chan struct{})
		go func() {
			waitUntilListening(port, nil)
			close(done)
		}()
		select {
		case <-done:
			t.Fatal("it did not wait")
		case <-time.After(20 * time.Millisecond):
		}
		again, err := net.Listen("tcp", first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		<-done
		again.Close()
		cancelled := make(chan struct{})
		close(cancelled)
		waitUntilListening(port, cancelled)
	}
}
