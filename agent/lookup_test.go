package main

import (
	"bytes"
	"testing"
)

func TestLookup(t *testing.T) {
	var output bytes.Buffer
	if code := lookup("127.0.0.1", &output); code != 0 || output.String() != "127.0.0.1\n" {
		t.Fatalf("an address is itself: %d %q", code, output.String())
	}
	output.Reset()
	// a name with an empty part is never asked for anywhere
	if code := lookup("no..name", &output); code != 1 || output.Len() != 0 {
		t.Fatalf("%d %q", code, output.String())
	}
}
