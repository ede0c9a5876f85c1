package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// Everything that is written and renamed begins so; what is left over with it is swept.
	temporaryPrefix = ".devloop-"
	// Frames that are read while an earlier one is carried out.
	readAhead = 8
)

// Parts of large files are kept for so long after a session was begun.
var partsAfter = 2 * time.Minute

var errMalformed = errors.New("a frame that is not understood")

// session is one conversation on stdin and stdout.
type session struct {
	roots    []string
	writer   *frameWriter
	files    *treeWriter
	commands *commands
	// The group of write frames that failed last: what follows in it is skipped.
	failedGroup uint32
	sweepAfter  time.Duration
	// What goes on beside the rest (lists, waits, watches, connections): what cancels it, by the number of the frame that asked.
	beside sync.Map
	// The group of write frames that is going on.
	group uint32
}

// serve speaks the frame protocol until the input ends. Returns the exit code.
func serve(in io.Reader, out io.Writer, roots []string) int {
	completePath()
	// a lost connection must not end this before it has cleaned up
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	umask := syscall.Umask(0)
	syscall.Umask(umask)
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	writer := &frameWriter{to: out}
	s := &session{
		roots:    roots,
		writer:   writer,
		files:    &treeWriter{walk: walker{roots: roots}, prefix: temporaryPrefix + hex.EncodeToString(random) + "-", umask: uint32(umask), progress: writer.progress},
		commands: &commands{writer: writer, running: map[uint32]*exec.Cmd{}},
	}
	writer.send(kindWelcome, 0, welcome())

	input := bufio.NewReaderSize(in, 256<<10)
	if err := s.greet(input); err != nil {
		return s.refuse(err)
	}
	work := make(chan frame, readAhead)
	done := make(chan struct{})
	go func() {
		s.work(work)
		close(done)
	}()
	err := s.read(input, work)
	close(work)
	<-done
	s.beside.Range(func(_, cancel any) bool {
		cancel.(func())()
		return true
	})
	s.files.setAside()
	s.commands.cancelAll()
	if err != nil {
		return s.refuse(err)
	}
	return 0
}

// refuse says why nothing more is answered.
func (s *session) refuse(err error) int {
	s.writer.send(kindRefused, 0, []byte(err.Error()))
	return 1
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

// greet reads the first frame.
func (s *session) greet(input *bufio.Reader) error {
	first, err := readFrame(input)
	if err != nil {
		return err
	}
	body := fields{rest: first.body}
	spoken, theirs, sweepAfter := body.number(), body.text(), body.number()
	if first.kind != kindHello || body.failed {
		return errMalformed
	}
	if spoken != protocol || theirs != version {
		return fmt.Errorf("protocol %d and version %q were expected, not %d and %q", protocol, version, spoken, theirs)
	}
	s.sweepAfter = time.Duration(sweepAfter) * time.Millisecond
	return nil
}

// read passes on what is to be done in order, and has the rest done beside it. It returns when the input ends.
func (s *session) read(input *bufio.Reader, work chan<- frame) error {
	// left-overs are harmless: they are looked for once, after some rest; parts of large files later, when nobody goes on with them
	sweeping := time.AfterFunc(s.sweepAfter, func() { sweep(s.roots, s.files.prefix, partPrefix) })
	defer sweeping.Stop()
	parts := time.AfterFunc(partsAfter, func() { sweep(s.roots, s.files.prefix) })
	defer parts.Stop()
	for {
		asked, err := readFrame(input)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if sweeping.Stop() {
			sweeping.Reset(s.sweepAfter)
		}
		switch asked.kind {
		case kindRun:
			body := fields{rest: asked.body}
			user, argv := body.text(), []string{}
			for len(body.rest) > 0 {
				argv = append(argv, body.text())
			}
			if body.failed || len(argv) == 0 {
				return errMalformed
			}
			s.commands.run(asked.number, user, argv)
		case kindCancel:
			if cancel, found := s.beside.Load(asked.number); found {
				cancel.(func())()
			} else {
				go s.commands.cancel(asked.number)
			}
		case kindList:
			if err := s.list(asked); err != nil {
				return err
			}
		case kindListening:
			if err := s.listening(asked); err != nil {
				return err
			}
		case kindDial:
			if err := s.dial(asked); err != nil {
				return err
			}
		case kindWatch:
			if err := s.watch(asked); err != nil {
				return err
			}
		case kindRestart:
			go s.restart(asked.number)
		case kindSignal:
			body := fields{rest: asked.body}
			sent := syscall.Signal(body.number())
			if body.failed || !reloadSignals[sent] {
				return errMalformed
			}
			go s.signal(asked.number, sent)
		default:
			work <- asked
		}
	}
}

// work carries out one frame after the other and answers each. After a frame that is not understood nothing is done any more.
func (s *session) work(frames <-chan frame) {
	broken := false
	for asked := range frames {
		if broken {
			continue
		}
		err := s.carryOut(asked)
		var known failure
		switch {
		case err == nil:
			s.writer.send(kindDone, asked.number, nil)
		case errors.As(err, &known):
			s.writer.send(kindFailed, asked.number, failedBody(known))
		default:
			broken = true
			_ = s.refuse(err)
		}
	}
}

func (s *session) carryOut(asked frame) error {
	body := fields{rest: asked.body}
	if asked.kind == kindInspect {
		return inspect(s.roots, &body, func(facts []byte) { s.writer.send(kindFacts, asked.number, facts) }, s.writer.progress)
	}
	if asked.kind == kindRead {
		return s.readFile(asked.number, &body)
	}
	group := body.number()
	if body.failed {
		return errMalformed
	}
	if group != s.group {
		s.files.forget()
		s.group = group
	}
	if group == s.failedGroup && group != 0 {
		return failure{"skipped", "", "an earlier frame failed"}
	}
	err := s.write(asked.kind, &body, func(bytes int64, sum []byte) {
		s.writer.send(kindResumed, asked.number, append(binary.BigEndian.AppendUint64(nil, uint64(bytes)), sum...))
	})
	if len(s.files.kept) > 0 {
		places := []byte{}
		for _, one := range s.files.kept {
			places = appendSized(binary.BigEndian.AppendUint32(places, uint32(one.root)), one.path)
		}
		s.files.kept = nil
		s.writer.send(kindKept, asked.number, places)
	}
	var known failure
	if errors.As(err, &known) {
		s.failedGroup = group
		s.files.discard()
	}
	return err
}

func (s *session) write(kind kind, body *fields, resumed func(bytes int64, sum []byte)) error {
	switch kind {
	case kindWrite:
		return s.files.apply(body)
	case kindBegin:
		return s.files.begin(body, resumed)
	case kindChunk:
		return s.files.chunk(body.rest)
	case kindEnd:
		return s.files.end()
	case kindDiscard:
		s.files.discard()
		return nil
	}
	return errMalformed
}

// list begins a list of everything below the roots.
func (s *session) list(asked frame) error {
	body := fields{rest: asked.body}
	skipped := s.otherPlaces(&body)
	if body.failed {
		return errMalformed
	}
	s.start(asked.number, func(cancelled <-chan struct{}) error {
		l := &lister{roots: s.roots, skipped: skipped, cancelled: cancelled, send: func(entries []byte) {
			s.writer.send(kindListed, asked.number, entries)
		}}
		l.list()
		return nil
	})
	return nil
}

// listening waits until a port is listened on.
func (s *session) listening(asked frame) error {
	body := fields{rest: asked.body}
	port := body.number()
	if body.failed || port == 0 || port > 65535 {
		return errMalformed
	}
	s.start(asked.number, func(cancelled <-chan struct{}) error {
		waitUntilListening(port, cancelled)
		return nil
	})
	return nil
}

// dial looks whether a place of the network answers.
func (s *session) dial(asked frame) error {
	body := fields{rest: asked.body}
	host, port, limit := body.text(), body.number(), time.Duration(body.number())*time.Millisecond
	if body.failed || host == "" || port == 0 || port > 65535 {
		return errMalformed
	}
	s.start(asked.number, func(cancelled <-chan struct{}) error {
		ctx, cancel := context.WithTimeout(context.Background(), min(limit, dialMost))
		defer cancel()
		go func() {
			select {
			case <-cancelled:
				cancel()
			case <-ctx.Done():
			}
		}()
		return dial(ctx, host, port)
	})
	return nil
}

// watch begins to tell what there is at some places, and what changes there.
func (s *session) watch(asked frame) error {
	body := fields{rest: asked.body}
	walk := walker{roots: s.roots}
	places := []at{}
	for count := body.number(); count > 0 && !body.failed; count-- {
		places = append(places, walk.place(&body))
	}
	skipped := s.otherPlaces(&body)
	if body.failed {
		return errMalformed
	}
	s.start(asked.number, func(ended <-chan struct{}) error {
		w := &treeWatch{roots: s.roots, places: places, skipped: skipped, ended: ended, send: func(kind kind, body []byte) {
			s.writer.send(kind, asked.number, body)
		}}
		return w.run()
	})
	return nil
}

// otherPlaces reads the places that a frame names at its end.
func (s *session) otherPlaces(body *fields) map[at]bool {
	walk := walker{roots: s.roots}
	found := map[at]bool{}
	for len(body.rest) > 0 && !body.failed {
		found[walk.place(body)] = true
	}
	return found
}

// start has work done beside the rest until it is done or cancelled, and answers then.
func (s *session) start(number uint32, work func(cancelled <-chan struct{}) error) {
	cancelled := make(chan struct{})
	s.beside.Store(number, sync.OnceFunc(func() { close(cancelled) }))
	go func() {
		err := work(cancelled)
		s.beside.Delete(number)
		var known failure
		switch {
		case err == nil:
			s.writer.send(kindDone, number, nil)
		case errors.As(err, &known):
			s.writer.send(kindFailed, number, failedBody(known))
		default:
			code, text := describe(unwrapped(err))
			s.writer.send(kindFailed, number, failedBody(failure{code, "", text}))
		}
	}()
}

func (s *session) restart(number uint32) {
	switch err := askForRestart(); {
	case err == nil:
		s.writer.send(kindDone, number, nil)
	case errors.Is(err, errNoSupervisor):
		s.writer.send(kindFailed, number, failedBody(failure{"no-supervisor", "", err.Error()}))
	default:
		s.writer.send(kindFailed, number, failedBody(failure{"restart", "", err.Error()}))
	}
}

func (s *session) signal(number uint32, sent syscall.Signal) {
	var refused notTaken
	switch err := signalMain(sent); {
	case err == nil:
		s.writer.send(kindDone, number, nil)
	case errors.As(err, &refused):
		s.writer.send(kindFailed, number, failedBody(failure{"not-taken", "", refused.who}))
	default:
		s.writer.send(kindFailed, number, failedBody(failure{"signal", "", err.Error()}))
	}
}

func failedBody(what failure) []byte {
	return appendSized(appendSized(appendSized(nil, what.code), what.path), what.text)
}
