package main

import (
	"context"
	"net"
	"strconv"
	"time"
)

// Nobody waits longer for an answer.
const dialMost = 10 * time.Second

// dial finds out whether a name is known and a TCP port behind it accepts connections, as this container sees it. Returns nil, or a failure
// with the code dns or tcp. Nothing is sent.
func dial(ctx context.Context, host string, port uint32) error {
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return failure{"dns", "", err.Error()}
	}
	var last error
	for _, address := range addresses {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.FormatUint(uint64(port), 10)))
		if err == nil {
			_ = connection.Close()
			return nil
		}
		last = err
	}
	if last == nil {
		return failure{"dns", "", "the name has no address"}
	}
	return failure{"tcp", "", last.Error()}
}
