package main

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"syscall"
)

const (
	// The same numbers in frames.ts.
	factAbsent  = 0
	factFile    = 1
	factLink    = 2
	factUnknown = 3

	// A frame of facts is sent when it has become so long.
	factsBytes = 64 << 10
)

// inspect tells what there is at each of the paths in a frame's body, in order: `send` gets the facts in pieces.
func inspect(roots []string, body *fields, send func(facts []byte), progress func()) error {
	walk := walker{roots: roots}
	defer walk.rest()
	facts := []byte{}
	for len(body.rest) > 0 && !body.failed {
		to := walk.place(body)
		if body.failed {
			break
		}
		facts = appendFact(facts, &walk, to, progress)
		if len(facts) >= factsBytes {
			send(facts)
			facts = facts[:0]
		}
		progress()
	}
	if body.failed {
		return errMalformed
	}
	if len(facts) > 0 {
		send(facts)
	}
	return nil
}

func appendFact(facts []byte, walk *walker, to at, progress func()) []byte {
	folder, name, err := walk.find(to)
	if err != nil {
		if err == errAbsent {
			return append(facts, factAbsent)
		}
		return append(facts, factUnknown)
	}
	return appendFactAt(facts, folder, name, progress)
}

// appendFactAt tells what an open folder holds under a name.
func appendFactAt(facts []byte, folder int, name string, progress func()) []byte {
	entry, err := openAt(folder, name, openPath|syscall.O_NOFOLLOW, 0)
	if err != nil {
		if absentOr(err) == errAbsent {
			return append(facts, factAbsent)
		}
		return append(facts, factUnknown)
	}
	var stat syscall.Stat_t
	err = syscall.Fstat(entry, &stat)
	syscall.Close(entry)
	switch {
	case err != nil:
		return append(facts, factUnknown)
	case stat.Mode&syscall.S_IFMT == syscall.S_IFLNK:
		if target, err := readLinkAt(folder, name); err == nil {
			return appendSized(append(facts, factLink), target)
		}
		return append(facts, factUnknown)
	case stat.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return append(facts, factAbsent)
	}
	mode, size, sum, err := hashFile(folder, name, progress)
	if err != nil {
		return append(facts, factUnknown)
	}
	facts = append(facts, factFile)
	facts = binary.BigEndian.AppendUint32(facts, mode)
	facts = binary.BigEndian.AppendUint64(facts, uint64(size))
	return append(facts, sum...)
}

// hashFile reads a regular file to its end: mode, bytes and sha256 of one and the same file.
func hashFile(folder int, name string, progress func()) (mode uint32, size int64, sum []byte, err error) {
	opened, err := openAt(folder, name, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, 0, nil, err
	}
	defer syscall.Close(opened)
	var stat syscall.Stat_t
	if err := syscall.Fstat(opened, &stat); err != nil {
		return 0, 0, nil, err
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return 0, 0, nil, os.ErrInvalid
	}
	hash := sha256.New()
	err = readInto(make([]byte, min(max(stat.Size, 4096), 256<<10)), opened, func(content []byte) {
		hash.Write(content)
		size += int64(len(content))
		progress()
	})
	if err != nil {
		return 0, 0, nil, err
	}
	return stat.Mode & 0o777, size, hash.Sum(nil), nil
}

// readAll reads to the end.
func readAll(from int, each func(content []byte)) error {
	return readInto(make([]byte, 256<<10), from, each)
}

func readInto(buffer []byte, from int, each func(content []byte)) error {
	for {
		count, err := syscall.Read(from, buffer)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || count == 0 {
			return err
		}
		each(buffer[:count])
	}
}
