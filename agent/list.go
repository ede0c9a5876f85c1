package main

import (
	"encoding/binary"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// lister tells everything that is below the roots, in frames of bounded size. It holds no more than the names of the folders on its way.
type lister struct {
	roots []string
	// Folders that are not gone into.
	skipped map[at]bool
	send    func(entries []byte)
	// Closed when nobody wants to know any more.
	cancelled <-chan struct{}
	// Called with each folder before it is read; nil = nobody wants to know.
	enter   func(descriptor, root int, path string) error
	root    int
	entries []byte
	failed  error
}

// list runs beside the writing of files, with the least priority: it may take long.
func (l *lister) list() {
	// the thread with its priority ends with the goroutine
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19)
	for number := range l.roots {
		l.rootOf(number)
	}
	l.flush()
}

func (l *lister) rootOf(number int) {
	l.root = number
	folder, err := openAt(0, l.roots[number], syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	switch {
	case err == nil:
		l.folder(folder, "")
	case err == syscall.ENOTDIR:
		l.one(at{number, ""})
	case absentOr(err) != errAbsent:
		l.add("", []byte{factUnknown})
	}
}

// one tells what there is at a place, and below it.
func (l *lister) one(to at) {
	l.root = to.root
	walk := walker{roots: l.roots}
	defer walk.rest()
	if folder, name, err := walk.find(to); err == nil {
		if opened, err := openAt(folder, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0); err == nil {
			l.folder(opened, to.path)
			return
		}
	}
	if fact := appendFact(nil, &walk, to, func() {}); fact[0] != factAbsent {
		l.add(to.path, fact)
	}
}

// folder takes over the descriptor.
func (l *lister) folder(descriptor int, path string) {
	folder := os.NewFile(uintptr(descriptor), path)
	defer folder.Close()
	if l.enter != nil && l.failed == nil {
		l.failed = l.enter(descriptor, l.root, path)
	}
	if l.failed != nil {
		return
	}
	folders := []string{}
	for {
		entries, err := folder.ReadDir(256)
		for _, entry := range entries {
			name := entry.Name()
			if isClosed(l.cancelled) {
				return
			}
			switch {
			case strings.HasPrefix(name, temporaryPrefix):
			case entry.IsDir():
				folders = append(folders, name)
			case entry.Type()&os.ModeSymlink != 0:
				if target, err := readLinkAt(descriptor, name); err == nil {
					l.add(join(path, name), appendSized([]byte{factLink}, target))
				}
			case entry.Type().IsRegular():
				l.add(join(path, name), l.file(descriptor, name))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			l.add(path, []byte{factUnknown})
			return
		}
	}
	for _, name := range folders {
		below := join(path, name)
		if l.skipped[at{l.root, below}] {
			continue
		}
		opened, err := openAt(descriptor, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
		if err == nil {
			l.folder(opened, below)
		} else if absentOr(err) != errAbsent {
			l.add(below, []byte{factUnknown})
		}
	}
}

// file gives the fact of a regular file; nothing when it is gone meanwhile.
func (l *lister) file(folder int, name string) []byte {
	mode, size, sum, err := hashFile(folder, name, func() {})
	if err != nil {
		if absentOr(err) == errAbsent {
			return nil
		}
		return []byte{factUnknown}
	}
	fact := binary.BigEndian.AppendUint32([]byte{factFile}, mode)
	fact = binary.BigEndian.AppendUint64(fact, uint64(size))
	return append(fact, sum...)
}

func (l *lister) add(path string, fact []byte) {
	if len(fact) == 0 {
		return
	}
	l.entries = binary.BigEndian.AppendUint32(l.entries, uint32(l.root))
	l.entries = append(appendSized(l.entries, path), fact...)
	if len(l.entries) >= factsBytes {
		l.flush()
	}
}

func (l *lister) flush() {
	if len(l.entries) > 0 {
		l.send(l.entries)
	}
	l.entries = l.entries[:0]
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

func isClosed(one <-chan struct{}) bool {
	select {
	case <-one:
		return true
	default:
		return false
	}
}
