package main

import (
	"os"
	"syscall"
)

// A longer piece of a file is not read at once.
const maxPiece = 1 << 20

// readFile tells a piece of a regular file: fewer bytes than were asked for are its end.
func (s *session) readFile(number uint32, body *fields) error {
	walk := walker{roots: s.roots}
	defer walk.rest()
	from := walk.place(body)
	offset, count := body.long(), int(body.number())
	if body.failed || offset < 0 || count > maxPiece {
		return errMalformed
	}
	content, err := pieceOf(&walk, from, offset, count)
	if err != nil {
		if err == errAbsent {
			err = syscall.ENOENT
		}
		code, text := describe(unwrapped(err))
		return failure{code, walk.absolute(from), text}
	}
	s.writer.send(kindContent, number, content)
	return nil
}

func pieceOf(walk *walker, from at, offset int64, count int) ([]byte, error) {
	folder, name, err := walk.find(from)
	if err != nil {
		return nil, err
	}
	opened, err := openAt(folder, name, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(opened)
	var stat syscall.Stat_t
	if err := syscall.Fstat(opened, &stat); err != nil {
		return nil, err
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, os.ErrInvalid
	}
	content := make([]byte, min(int64(count), max(stat.Size-offset, 0)))
	length := 0
	for length < len(content) {
		got, err := syscall.Pread(opened, content[length:], offset+int64(length))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if got == 0 {
			break
		}
		length += got
	}
	return content[:length], nil
}
