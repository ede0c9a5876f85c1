package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// lookup tells the addresses of a name as this pod's resolver knows them, in one line; or why there are none.
func lookup(host string, output io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), dialMost)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(output, strings.Join(addresses, " "))
	return 0
}
