package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
	"testing/quick"
)

// Frames come out as they went in, however the stream is cut.
func TestFramesKeepWhatTheyHold(t *testing.T) {
	check := func(kinds []byte, numbers []uint32, bodies [][]byte) bool {
		count := min(len(kinds), len(numbers), len(bodies))
		var stream bytes.Buffer
		writer := &frameWriter{to: &stream}
		for i := range count {
			writer.send(kind(kinds[i]), numbers[i], bodies[i])
		}
		input := bufio.NewReaderSize(iotest.OneByteReader(&stream), 16)
		for i := range count {
			got, err := readFrame(input)
			if err != nil || got.kind != kind(kinds[i]) || got.number != numbers[i] || !bytes.Equal(got.body, bodies[i]) {
				t.Logf("%v, %v", got, err)
				return false
			}
		}
		_, err := readFrame(input)
		return err == io.EOF
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

func TestFramesThatAreCutOrTooLongAreMistakes(t *testing.T) {
	var stream bytes.Buffer
	(&frameWriter{to: &stream}).send(kindWrite, 7, []byte("body"))
	whole := stream.Bytes()
	for length := 1; length < len(whole); length++ {
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(whole[:length]))); err == nil || err == io.EOF {
			t.Errorf("%d bytes of a frame of %d: %v", length, len(whole), err)
		}
	}
	for _, length := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 4}} {
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(append(length, whole[4:]...)))); err == nil {
			t.Errorf("a length of %v was taken", length)
		}
	}
}

// Fields come out as they went in, and nothing is read that is not there.
func TestFields(t *testing.T) {
	keep := func(text string, rest []byte) bool {
		body := fields{rest: appendSized(appendSized(nil, text), rest)}
		return body.text() == text && bytes.Equal(body.sized(), rest) && !body.failed && len(body.rest) == 0
	}
	if err := quick.Check(keep, nil); err != nil {
		t.Error(err)
	}
	survive := func(garbage []byte) bool {
		body := fields{rest: garbage}
		for !body.failed && len(body.rest) > 0 {
			_, _, _, _ = body.byte(), body.number(), body.long(), body.text()
		}
		return true
	}
	if err := quick.Check(survive, &quick.Config{MaxCount: 1000}); err != nil {
		t.Error(err)
	}
}

// Whatever the body of a frame is, it is carried out, refused or a mistake; nothing panics, and nothing is written out of the root.
func FuzzOperations(f *testing.F) {
	sum := bytes.Repeat([]byte{1}, 32)
	number := []byte{0, 0, 0, 0}
	f.Add(byte(kindWrite), bytes.Join([][]byte{{opFile}, number, appendSized(nil, "../x"), {0, 0, 1, 0xa4}, sum, appendSized(nil, "content")}, nil))
	f.Add(byte(kindWrite), bytes.Join([][]byte{{opLink}, number, appendSized(nil, "a/b"), appendSized(nil, "..")}, nil))
	f.Add(byte(kindBegin), bytes.Join([][]byte{number, appendSized(nil, "large"), {0, 0, 1, 0xa4}, make([]byte, 8), sum}, nil))
	f.Add(byte(kindInspect), bytes.Join([][]byte{number, appendSized(nil, "a")}, nil))
	f.Fuzz(func(t *testing.T, asked byte, body []byte) {
		size := fields{rest: body}
		if _, _, _ = size.number(), size.text(), size.number(); kind(asked) == kindBegin && size.long() > 1<<20 {
			t.Skip("its space would be taken at once")
		}
		files, root := newTree(t)
		s := &session{roots: []string{root}, writer: &frameWriter{to: io.Discard}, files: files}
		err := s.carryOut(frame{kind: kind(asked), number: 1, body: append([]byte{0, 0, 0, 1}, body...)})
		var known failure
		if err != nil && !errors.As(err, &known) && err != errMalformed {
			t.Errorf("%v", err)
		}
		files.discard()
		if got := outside(t, root); !reflect.DeepEqual(got, []string{"kept"}) {
			t.Errorf("outside of the root there is %v", got)
		}
	})
}
