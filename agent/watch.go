package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// How long after an event a path is looked at. Variables for tests.
var (
	// A file was closed, renamed or linked: it is whole.
	settledAfter = 10 * time.Millisecond
	// A file is gone: what replaces files often deletes them first.
	goneAfter = 200 * time.Millisecond
	// A file is being written by somebody who does not close it: it is told when it has rested.
	writtenAfter = time.Second
)

const watchMask = syscall.IN_CREATE | syscall.IN_CLOSE_WRITE | syscall.IN_MODIFY | syscall.IN_ATTRIB | syscall.IN_DELETE |
	syscall.IN_MOVED_FROM | syscall.IN_MOVED_TO | syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF | syscall.IN_ONLYDIR

// treeWatch tells what there is at some places and below them, and then what changes, by inotify. A fact about an entry is also one about what
// was below it: that is gone.
type treeWatch struct {
	roots   []string
	places  []at
	skipped map[at]bool
	send    func(kind kind, body []byte)
	ended   <-chan struct{}

	// Its File must not be asked for its descriptor: that would make it block.
	notify     *os.File
	descriptor int
	// By watch descriptor: one folder may be on the way to several places.
	folders map[int][]watched
	// When a path is to be looked at.
	pending map[at]due
}

type watched struct {
	folder at
	// Of a folder that leads to a root which is a single file, or not there: the name that counts in it.
	onlyName string
	// Whether all is listed anew when that name appears; else the root is looked at.
	leads bool
}

type due struct {
	at time.Time
	// It is put off as long as the file is being written.
	writing bool
}

type event struct {
	watch int
	mask  uint32
	name  string
}

// run returns when it was ended, or with what keeps it from watching.
func (w *treeWatch) run() error {
	for {
		again, err := w.once()
		if !again || err != nil {
			return err
		}
		w.send(kindAgain, nil)
	}
}

// once lists, and follows until everything is to be listed anew.
func (w *treeWatch) once() (again bool, err error) {
	descriptor, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		return false, err
	}
	w.notify, w.descriptor = os.NewFile(uintptr(descriptor), "inotify"), descriptor
	defer w.notify.Close()
	w.folders, w.pending = map[int][]watched{}, map[at]due{}
	events := make(chan []event, 64)
	stopped := make(chan struct{})
	defer close(stopped)
	go w.read(events, stopped)

	list := w.lister(kindListed)
	for _, one := range w.places {
		if err := w.watchWayTo(one); err != nil {
			return false, err
		}
		if one.path == "" {
			list.rootOf(one.root)
		} else {
			list.one(one)
		}
	}
	list.flush()
	if list.failed != nil {
		return false, list.failed
	}
	if isClosed(w.ended) {
		return false, nil
	}
	w.send(kindWatching, nil)
	return w.follow(events)
}

func (w *treeWatch) follow(events <-chan []event) (again bool, err error) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(w.tellDue())
		select {
		case <-w.ended:
			return false, nil
		case batch, open := <-events:
			if !open {
				return true, nil
			}
			for _, one := range batch {
				if again, err = w.take(one); again || err != nil {
					return again, err
				}
			}
		case <-timer.C:
		}
	}
}

func (w *treeWatch) lister(kind kind) *lister {
	return &lister{roots: w.roots, skipped: w.skipped, cancelled: w.ended, send: func(entries []byte) { w.send(kind, entries) },
		enter: func(descriptor, root int, path string) error {
			return w.add(descriptor, watched{folder: at{root, path}})
		}}
}

// add watches an open folder.
func (w *treeWatch) add(descriptor int, what watched) error {
	watch, err := syscall.InotifyAddWatch(w.descriptor, "/proc/self/fd/"+strconv.Itoa(descriptor), watchMask)
	if err == syscall.ENOENT {
		// there is no /proc
		walk := walker{roots: w.roots}
		watch, err = syscall.InotifyAddWatch(w.descriptor, walk.absolute(what.folder), watchMask|syscall.IN_DONT_FOLLOW)
	}
	switch err {
	case nil:
		w.interested(watch, what)
		return nil
	case syscall.EACCES:
		// the folder is listed as one that cannot be told
		return nil
	}
	return err
}

func (w *treeWatch) interested(watch int, what watched) {
	for _, one := range w.folders[watch] {
		if one == what {
			return
		}
	}
	w.folders[watch] = append(w.folders[watch], what)
}

// watchWayTo watches the folder that a place is in, or the next one above that is there: a place may be a file, and may not be there yet.
func (w *treeWatch) watchWayTo(to at) error {
	walk := walker{roots: w.roots}
	path := walk.absolute(to)
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		return nil
	}
	for folder := filepath.Dir(path); ; path, folder = folder, filepath.Dir(folder) {
		opened, err := openAt(0, folder, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if err == nil {
			defer syscall.Close(opened)
			leads := path != walk.absolute(to)
			return w.add(opened, watched{folder: to, onlyName: filepath.Base(path), leads: leads})
		}
		if folder == "/" || absentOr(err) != errAbsent {
			return nil
		}
	}
}

// read passes events on until the descriptor is closed.
func (w *treeWatch) read(events chan<- []event, stopped <-chan struct{}) {
	defer close(events)
	buffer := make([]byte, 64<<10)
	for {
		count, err := w.notify.Read(buffer)
		if err != nil || count < syscall.SizeofInotifyEvent {
			return
		}
		batch := []event{}
		for rest := buffer[:count]; len(rest) >= syscall.SizeofInotifyEvent; {
			head := (*syscall.InotifyEvent)(unsafe.Pointer(&rest[0]))
			end := syscall.SizeofInotifyEvent + int(head.Len)
			name := strings.TrimRight(string(rest[syscall.SizeofInotifyEvent:end]), "\x00")
			batch = append(batch, event{int(head.Wd), head.Mask, name})
			rest = rest[end:]
		}
		select {
		case events <- batch:
		case <-stopped:
			return
		}
	}
}

// take notes what an event says. again = everything must be listed anew.
func (w *treeWatch) take(one event) (again bool, err error) {
	if one.mask&syscall.IN_Q_OVERFLOW != 0 {
		return true, nil
	}
	if one.mask&syscall.IN_IGNORED != 0 {
		delete(w.folders, one.watch)
		return false, nil
	}
	for _, of := range w.folders[one.watch] {
		if again, err = w.takeFrom(of, one); again || err != nil {
			return again, err
		}
	}
	return false, nil
}

func (w *treeWatch) takeFrom(of watched, one event) (again bool, err error) {
	if of.onlyName != "" {
		if one.name == of.onlyName && (of.leads || one.mask&syscall.IN_ISDIR != 0) || one.mask&(syscall.IN_DELETE_SELF|syscall.IN_MOVE_SELF) != 0 {
			return true, nil
		}
		if one.name == of.onlyName {
			w.note(of.folder, one.mask)
		}
		return false, nil
	}
	if one.mask&(syscall.IN_DELETE_SELF|syscall.IN_MOVE_SELF|syscall.IN_UNMOUNT) != 0 {
		if !w.isPlace(of.folder) {
			return false, nil
		}
		// it may be about to be made anew
		time.Sleep(goneAfter)
		return true, nil
	}
	if one.name == "" || strings.HasPrefix(one.name, temporaryPrefix) {
		return false, nil
	}
	path := at{of.folder.root, join(of.folder.path, one.name)}
	if one.mask&syscall.IN_ISDIR == 0 {
		w.note(path, one.mask)
		return false, nil
	}
	switch {
	case w.skipped[path]:
	case one.mask&(syscall.IN_CREATE|syscall.IN_MOVED_TO) != 0:
		w.forget(path)
		delete(w.pending, path)
		list := w.lister(kindChanged)
		list.root = path.root
		list.add(path.path, []byte{factAbsent})
		list.one(path)
		list.flush()
		return false, list.failed
	case one.mask&(syscall.IN_DELETE|syscall.IN_MOVED_FROM) != 0:
		w.forget(path)
		w.pending[path] = due{at: time.Now().Add(goneAfter)}
	}
	return false, nil
}

func (w *treeWatch) isPlace(path at) bool {
	for _, one := range w.places {
		if one == path {
			return true
		}
	}
	return false
}

// note has a file looked at.
func (w *treeWatch) note(path at, mask uint32) {
	before, noted := w.pending[path]
	next := due{at: time.Now().Add(settledAfter)}
	switch {
	case mask&(syscall.IN_CLOSE_WRITE|syscall.IN_MOVED_TO|syscall.IN_ATTRIB) != 0:
	case mask&(syscall.IN_DELETE|syscall.IN_MOVED_FROM) != 0:
		next.at = time.Now().Add(goneAfter)
	default:
		if noted && !before.writing && mask&syscall.IN_CREATE == 0 {
			return
		}
		next = due{time.Now().Add(writtenAfter), true}
		if mask&syscall.IN_CREATE != 0 && !w.isBeingWritten(path) {
			next = due{at: time.Now().Add(settledAfter)}
		}
	}
	w.pending[path] = next
}

// isBeingWritten tells whether a new entry is a file that its maker will close: not a link, nor a second name of a file.
func (w *treeWatch) isBeingWritten(path at) bool {
	walk := walker{roots: w.roots}
	defer walk.rest()
	folder, name, err := walk.find(path)
	if err != nil {
		return true
	}
	stat, err := statAt(folder, name)
	return err != nil || stat.Mode&syscall.S_IFMT == syscall.S_IFREG && stat.Nlink == 1
}

// forget watches nothing at a path and below it any more: it may get another name, and keep its watch descriptor.
func (w *treeWatch) forget(path at) {
	for watch, all := range w.folders {
		left := []watched{}
		for _, one := range all {
			if one.onlyName != "" || one.folder.root != path.root || (one.folder.path != path.path && !strings.HasPrefix(one.folder.path, path.path+"/")) {
				left = append(left, one)
			}
		}
		if len(left) == len(all) {
			continue
		}
		w.folders[watch] = left
		if len(left) == 0 {
			_, _ = syscall.InotifyRmWatch(w.descriptor, uint32(watch))
			delete(w.folders, watch)
		}
	}
}

// tellDue tells what is at the paths whose time has come, and returns how long to wait for the next.
func (w *treeWatch) tellDue() time.Duration {
	now, wait := time.Now(), time.Hour
	walk := walker{roots: w.roots}
	defer walk.rest()
	entries := []byte{}
	for path, one := range w.pending {
		if left := one.at.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		delete(w.pending, path)
		if folder, name, err := walk.find(path); err == nil {
			// of a folder its own event tells
			if stat, err := statAt(folder, name); err == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFDIR {
				continue
			}
		}
		entries = appendSized(binary.BigEndian.AppendUint32(entries, uint32(path.root)), path.path)
		entries = append(entries, appendFact(nil, &walk, path, func() {})...)
		if len(entries) >= factsBytes {
			w.send(kindChanged, entries)
			entries = entries[:0]
		}
	}
	if len(entries) > 0 {
		w.send(kindChanged, entries)
	}
	return wait
}
