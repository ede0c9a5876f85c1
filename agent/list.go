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
	// Whether nobody wants to know any more.
	cancelled func() bool
	root      int
	entries   []byte
}

// list runs beside the writing of files, with the least priority: it may take long.
func (l *lister) list() {
	// the thread with its priority ends with the goroutine
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19)
	for number, root := range l.roots {
		l.root = number
		folder, err := openAt(0, root, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		switch {
		case err == nil:
			l.folder(folder, "")
		case err == syscall.ENOTDIR:
			walk := walker{roots: l.roots}
			l.add("", appendFact(nil, &walk, at{number, ""}, func() {}))
			walk.rest()
		case absentOr(err) != errAbsent:
			l.add("", []byte{factUnknown})
		}
	}
	l.flush()
}

// folder takes over the descriptor.
func (l *lister) folder(descriptor int, path string) {
	folder := os.NewFile(uintptr(descriptor), path)
	defer folder.Close()
	folders := []string{}
	for {
		entries, err := folder.ReadDir(256)
		for _, entry := range entries {
			name := entry.Name()
			if l.cancelled() {
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
