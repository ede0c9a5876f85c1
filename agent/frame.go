package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// What both ends must agree on; src/adapters/kube/sync/agent/frames.ts is the other one. A frame is the length of what follows (4 bytes), its
// kind (1), its number (4) and the rest, all numbers with the highest byte first.
const (
	protocol = 3
	// A longer frame is a mistake.
	maxFrame = 4 << 20
	// Length without the 4 bytes of the length itself.
	frameHead = 5
)

type kind byte

// From devloop.
const (
	kindHello     kind = 1
	kindInspect   kind = 2
	kindWrite     kind = 3
	kindBegin     kind = 4
	kindChunk     kind = 5
	kindEnd       kind = 6
	kindDiscard   kind = 7
	kindRun       kind = 8
	kindCancel    kind = 9
	kindRestart   kind = 10
	kindList      kind = 11
	kindSignal    kind = 12
	kindListening kind = 15
	kindWatch     kind = 13
	kindRead      kind = 14
	kindDial      kind = 16
)

// From the agent. An answer has the number of what it answers.
const (
	kindWelcome kind = 128
	kindDone    kind = 129
	kindFailed  kind = 130
	kindFacts   kind = 131
	kindOutput  kind = 132
	kindExited  kind = 133
	kindAlive   kind = 134
	kindRefused kind = 135
	kindListed  kind = 136
	kindResumed kind = 137
	kindKept    kind = 138
	kindContent kind = 139
	// A list is complete; from now on what changes is told.
	kindWatching kind = 140
	kindChanged  kind = 141
	// Events were lost: a list follows anew.
	kindAgain kind = 142
)

type frame struct {
	kind   kind
	number uint32
	body   []byte
}

// readFrame reads the next frame into memory of its own. io.EOF = the input ended between frames.
func readFrame(from *bufio.Reader) (frame, error) {
	var head [4 + frameHead]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return frame{}, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < frameHead || length > maxFrame {
		return frame{}, fmt.Errorf("a frame of %d bytes", length)
	}
	body := make([]byte, length-frameHead)
	if _, err := io.ReadFull(from, body); err != nil {
		return frame{}, errors.Join(errors.New("the input ended in a frame"), err)
	}
	return frame{kind(head[4]), binary.BigEndian.Uint32(head[5:]), body}, nil
}

// frameWriter writes whole frames from any goroutine.
type frameWriter struct {
	lock sync.Mutex
	to   io.Writer
	// When something was last sent.
	at time.Time
}

// send writes a frame. What cannot be written is lost: the input ends then, too.
func (writer *frameWriter) send(kind kind, number uint32, body []byte) {
	whole := make([]byte, 0, 4+frameHead+len(body))
	whole = binary.BigEndian.AppendUint32(whole, uint32(frameHead+len(body)))
	whole = append(whole, byte(kind))
	whole = binary.BigEndian.AppendUint32(whole, number)
	whole = append(whole, body...)
	writer.lock.Lock()
	defer writer.lock.Unlock()
	writer.at = time.Now()
	_, _ = writer.to.Write(whole)
}

// progress tells now and then that something goes on, so that long work is not taken for a lost container.
func (writer *frameWriter) progress() {
	writer.lock.Lock()
	silent := time.Since(writer.at) > time.Second
	writer.lock.Unlock()
	if silent {
		writer.send(kindAlive, 0, nil)
	}
}

// fields takes a frame's body apart. After a mistake everything is zero, and failed says so.
type fields struct {
	rest   []byte
	failed bool
}

func (f *fields) bytes(count int) []byte {
	if count < 0 || count > len(f.rest) {
		f.failed, f.rest = true, nil
		return nil
	}
	taken := f.rest[:count]
	f.rest = f.rest[count:]
	return taken
}

func (f *fields) byte() byte {
	if taken := f.bytes(1); taken != nil {
		return taken[0]
	}
	return 0
}

func (f *fields) number() uint32 {
	if taken := f.bytes(4); taken != nil {
		return binary.BigEndian.Uint32(taken)
	}
	return 0
}

func (f *fields) long() int64 {
	if taken := f.bytes(8); taken != nil {
		return int64(binary.BigEndian.Uint64(taken))
	}
	return 0
}

// sized takes what has its length before it.
func (f *fields) sized() []byte {
	count := f.number()
	if count > maxFrame {
		count = maxFrame
	}
	return f.bytes(int(count))
}

func (f *fields) text() string { return string(f.sized()) }

func appendSized[T ~string | ~[]byte](to []byte, what T) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(what)))
	return append(to, what...)
}
