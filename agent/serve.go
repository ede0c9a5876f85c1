package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"os/user"
	"strconv"
)

// Everything that is written and renamed begins so; what is left over with it is swept.
const temporaryPrefix = ".devloop-"

// serve speaks the frame protocol until the input ends. Returns the exit code.
func serve(in io.Reader, out io.Writer, roots []string) int {
	writer := &frameWriter{to: out}
	writer.send(kindWelcome, 0, welcome())
	input := bufio.NewReaderSize(in, 256<<10)
	for {
		asked, err := readFrame(input)
		if err == io.EOF {
			return 0
		}
		if err != nil {
			writer.send(kindRefused, 0, []byte(err.Error()))
			return 1
		}
		_ = asked
	}
}

// welcome says who speaks: protocol, version, and as whom.
func welcome() []byte {
	name := ""
	if found, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
		name = found.Username
	}
	body := binary.BigEndian.AppendUint32(nil, protocol)
	body = appendSized(body, version)
	body = binary.BigEndian.AppendUint32(body, uint32(os.Geteuid()))
	return appendSized(body, name)
}
