package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"os"
	"strconv"
	"syscall"
)

const (
	// The same numbers in frames.ts.
	opFile   = 1
	opLink   = 2
	opDelete = 3
	opRmdir  = 4
	opExpect = 5
)

// treeWriter changes the tree below the roots. Whatever is written is whole or not there: it is written beside, under a temporary
// name, and renamed.
type treeWriter struct {
	walk walker
	// The beginning of this session's temporary names.
	prefix string
	count  int
	// Bits that the system takes from the mode of a new file.
	umask    uint32
	progress func()
	large    *largeFile
	// What must be there, as a fact, for an entry to be written: an operation on another entry than that is left out, and the entry is
	// noted as kept. Both are of one group.
	expected map[at][]byte
	kept     []at
}

// largeFile is a file that comes in pieces.
type largeFile struct {
	to              at
	folder          int
	name, temporary string
	descriptor      int
	mode            uint32
	size, written   int64
	expected        []byte
	hash            hash.Hash
	// The name that it gets when the stream ends before all of it came: whoever sends the same content goes on from there. Empty = none.
	part string
}

const (
	// What names of parts begin with; the sha256 of the whole content follows, in hex.
	partPrefix = temporaryPrefix + "part-"
	// Less than this is not worth being set aside.
	leastPart = 1 << 20
)

var errCorrupt = errors.New("what came is not what was sent")

// apply carries out the operations of one frame, in order, up to the first that fails.
func (w *treeWriter) apply(body *fields) error {
	defer w.walk.rest()
	for len(body.rest) > 0 && !body.failed {
		op, to := body.byte(), w.walk.place(body)
		var err error
		w.guard(to)
		switch op {
		case opExpect:
			if fact := body.sized(); !body.failed {
				w.expected[to] = fact
			}
		case opFile:
			mode, expected, content := body.number(), body.bytes(sha256.Size), body.sized()
			if !body.failed {
				err = w.file(to, mode, expected, content)
			}
		case opLink:
			target := body.text()
			if !body.failed {
				err = w.link(to, target)
			}
		case opDelete:
			if !body.failed {
				err = w.remove(to)
			}
		case opRmdir:
			if !body.failed {
				w.removeFolder(to)
			}
		default:
			return errMalformed
		}
		if err == errKept {
			w.kept = append(w.kept, to)
		} else if err != nil {
			return w.explain(err, to)
		}
		w.progress()
	}
	if body.failed {
		return errMalformed
	}
	return nil
}

// forget ends a group: what was expected in it counts no more.
func (w *treeWriter) forget() {
	w.expected, w.kept = map[at][]byte{}, nil
}

// guard makes the walk to an entry a careful one where something is expected to be there.
func (w *treeWriter) guard(to at) {
	_, careful := w.expected[to]
	if careful != w.walk.careful {
		w.walk.rest()
	}
	w.walk.careful = careful
}

// asExpected tells whether an entry may be changed: nothing is expected of it, or just that is there and has not changed while it was looked at.
func (w *treeWriter) asExpected(folder int, name string, to at) (syscall.Stat_t, bool) {
	fact, guarded := w.expected[to]
	before, err := statAt(folder, name)
	if !guarded {
		return before, true
	}
	if isAbsentFact(fact) {
		// a folder is left in its place unless it is empty
		return before, err == syscall.ENOENT || err == nil && before.Mode&syscall.S_IFMT == syscall.S_IFDIR
	}
	if err != nil || !bytes.Equal(appendFactAt(nil, folder, name, w.progress), fact) {
		return before, false
	}
	after, err := statAt(folder, name)
	return before, err == nil && isUnwritten(before, after)
}

func isAbsentFact(fact []byte) bool { return len(fact) == 1 && fact[0] == factAbsent }

// isUnwritten tells whether two looks saw the same file with the same content. Renaming changes ctime alone.
func isUnwritten(before, after syscall.Stat_t) bool {
	return after.Ino == before.Ino && after.Size == before.Size && after.Mtim == before.Mtim && after.Mode == before.Mode
}

// placeGuarded gives a temporary its name as long as what is expected is there: the two change places, so that what came in the last moment is
// not lost either. errKept = something else is there.
func (w *treeWriter) placeGuarded(folder int, temporary, name string, to at) error {
	before, expected := w.asExpected(folder, name, to)
	if !expected {
		return errKept
	}
	if isAbsentFact(w.expected[to]) {
		err := renameAt(folder, temporary, name, renameNoReplace)
		if err == syscall.EEXIST && unlinkAt(folder, name, removeDir) == nil {
			err = renameAt(folder, temporary, name, renameNoReplace)
		}
		switch err {
		case syscall.EEXIST:
			return errKept
		case errUnsupported:
			return syscall.Renameat(folder, temporary, folder, name)
		}
		return err
	}
	switch err := renameAt(folder, temporary, name, renameExchange); err {
	case nil:
	case syscall.ENOENT:
		return errKept
	case errUnsupported:
		return syscall.Renameat(folder, temporary, folder, name)
	default:
		return err
	}
	if after, err := statAt(folder, temporary); err != nil || !isUnwritten(before, after) {
		if renameAt(folder, temporary, name, renameExchange) == syscall.ENOENT {
			_ = renameAt(folder, temporary, name, renameNoReplace)
		}
		return errKept
	}
	return unlinkAt(folder, temporary, 0)
}

// removeGuarded removes an entry as long as what is expected is there.
func (w *treeWriter) removeGuarded(folder int, name string, to at) error {
	before, expected := w.asExpected(folder, name, to)
	if !expected {
		return errKept
	}
	temporary := w.temporary()
	if err := syscall.Renameat(folder, name, folder, temporary); err != nil {
		return errKept
	}
	if after, err := statAt(folder, temporary); err != nil || !isUnwritten(before, after) {
		// what came in its place meanwhile is newer
		if renameAt(folder, temporary, name, renameNoReplace) == nil {
			return errKept
		}
	}
	return unlinkAt(folder, temporary, 0)
}

func (w *treeWriter) explain(err error, to at) error {
	var known failure
	if errors.As(err, &known) {
		if known.path == "" {
			known.path = w.walk.absolute(to)
		}
		return known
	}
	if err == errKept {
		return failure{"in-the-way", w.walk.absolute(to), "something else stands there, or on the way"}
	}
	if err == errCorrupt {
		return failure{"corrupt", w.walk.absolute(to), err.Error()}
	}
	code, text := describe(unwrapped(err))
	return failure{code, w.walk.absolute(to), text}
}

// file writes a file whose content is at hand.
func (w *treeWriter) file(to at, mode uint32, expected, content []byte) error {
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], expected) {
		return errCorrupt
	}
	return w.beside(to, func(folder int, temporary string) error {
		created, err := w.create(folder, temporary, mode)
		if err != nil {
			return err
		}
		if len(content) > 0 {
			// ext4 writes a file to the disk when it is renamed over another, unless its space is already taken
			_ = syscall.Fallocate(created, 0, 0, int64(len(content)))
		}
		err = writeAll(created, content)
		return errors.Join(err, syscall.Close(created))
	})
}

func (w *treeWriter) link(to at, target string) error {
	return w.beside(to, func(folder int, temporary string) error { return symlinkAt(target, folder, temporary) })
}

// beside has an entry made under a temporary name and puts it in its place. Who else works on the tree may take a folder away in
// between: then it is done once more.
func (w *treeWriter) beside(to at, make func(folder int, temporary string) error) error {
	for attempt := 0; ; attempt++ {
		folder, name, err := w.walk.reach(to)
		if err != nil {
			return err
		}
		temporary := w.temporary()
		if err = make(folder, temporary); err == nil {
			err = w.place(folder, temporary, name, to)
		}
		if err == nil {
			return nil
		}
		_ = unlinkAt(folder, temporary, 0)
		if unwrapped(err) != syscall.ENOENT || attempt == 2 {
			return err
		}
		w.walk.rest()
	}
}

func (w *treeWriter) temporary() string {
	w.count++
	return w.prefix + strconv.Itoa(w.count)
}

func (w *treeWriter) create(folder int, name string, mode uint32) (int, error) {
	created, err := openAt(folder, name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_NOFOLLOW, mode&0o777)
	if err == nil && mode&w.umask != 0 {
		if err = syscall.Fchmod(created, mode&0o777); err != nil {
			syscall.Close(created)
		}
	}
	return created, err
}

// place gives a temporary its name. A folder in the way is removed with all that is in it.
func (w *treeWriter) place(folder int, temporary, name string, to at) error {
	if _, guarded := w.expected[to]; guarded {
		return w.placeGuarded(folder, temporary, name, to)
	}
	err := syscall.Renameat(folder, temporary, folder, name)
	if err != syscall.EISDIR && err != syscall.ENOTEMPTY && err != syscall.EEXIST {
		return err
	}
	if to.path == "" {
		return failure{"root-is-folder", "", name}
	}
	if err := removeTree(folder, name, w.progress); err != nil {
		return err
	}
	return syscall.Renameat(folder, temporary, folder, name)
}

// remove removes a file or link; nothing there, or a folder there, is no error.
func (w *treeWriter) remove(to at) error {
	folder, name, err := w.walk.find(to)
	if err == nil {
		if _, guarded := w.expected[to]; guarded {
			return w.removeGuarded(folder, name, to)
		}
		err = unlinkAt(folder, name, 0)
	}
	switch {
	case err == nil || err == errAbsent || err == syscall.EISDIR || absentOr(err) == errAbsent:
		return nil
	case err == syscall.EPERM && isFolder(folder, name):
		return nil
	}
	return err
}

// removeFolder removes a folder if it is empty, else nothing happens.
func (w *treeWriter) removeFolder(to at) {
	if to.path == "" {
		return
	}
	if folder, name, err := w.walk.find(to); err == nil {
		_ = unlinkAt(folder, name, removeDir)
	}
}

func isFolder(folder int, name string) bool {
	opened, err := openAt(folder, name, openFolder|syscall.O_NOFOLLOW, 0)
	if err == nil {
		syscall.Close(opened)
	}
	return err == nil
}

// removeTree removes an entry with all that is below it, following no link.
func removeTree(folder int, name string, progress func()) error {
	progress()
	err := unlinkAt(folder, name, 0)
	if err == nil || err == syscall.ENOENT || !isFolder(folder, name) {
		return ignore(err, syscall.ENOENT)
	}
	opened, err := openAt(folder, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return ignore(err, syscall.ENOENT)
	}
	inside := os.NewFile(uintptr(opened), name)
	names, err := inside.Readdirnames(-1)
	for _, one := range names {
		if err == nil {
			err = removeTree(opened, one, progress)
		}
	}
	inside.Close()
	if err != nil {
		return unwrapped(err)
	}
	return ignore(unlinkAt(folder, name, removeDir), syscall.ENOENT)
}

func ignore(err error, harmless syscall.Errno) error {
	if err == harmless {
		return nil
	}
	return err
}

// begin makes the temporary of a file that comes in pieces. Its space is taken at once, so that a full disk is told before the bytes came.
// When the sender can go on where an earlier session was cut, it is told how much of the content is there, with the sha256 of that.
func (w *treeWriter) begin(body *fields, resumed func(bytes int64, sum []byte)) error {
	defer w.walk.rest()
	to := w.walk.place(body)
	mode, size, expected, resumable := body.number(), body.long(), body.bytes(sha256.Size), body.byte() == 1
	if body.failed || w.large != nil || size < 0 {
		return errMalformed
	}
	var large *largeFile
	w.guard(to)
	folder, name, err := w.walk.reach(to)
	if err == nil {
		large = &largeFile{to: to, name: name, temporary: w.temporary(), mode: mode, size: size, expected: expected, hash: sha256.New()}
		if resumable {
			large.part = partPrefix + hex.EncodeToString(expected)
		}
		if large.folder, err = duplicate(folder); err == nil {
			if resumable && w.resume(large) {
				defer func() { resumed(large.written, large.hash.Sum(nil)) }()
			} else if large.descriptor, err = w.create(folder, large.temporary, mode); err != nil {
				syscall.Close(large.folder)
			}
		}
	}
	if err != nil {
		return w.explain(err, to)
	}
	w.large = large
	if size == 0 {
		return nil
	}
	// the size stays what was written, also when this is killed
	if err := syscall.Fallocate(large.descriptor, keepSize, 0, size); err == syscall.ENOSPC || err == syscall.EDQUOT {
		w.discard()
		return w.explain(err, to)
	}
	return nil
}

// resume takes over what an earlier session has set aside of the same content. Who renames it has it: another session cannot take it, too.
// Says whether there is any; if not, nothing of it is left.
func (w *treeWriter) resume(large *largeFile) bool {
	if syscall.Renameat(large.folder, large.part, large.folder, large.temporary) != nil {
		return false
	}
	opened, err := openAt(large.folder, large.temporary, syscall.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err == nil {
		var stat syscall.Stat_t
		if syscall.Fstat(opened, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFREG && stat.Nlink == 1 && stat.Size <= large.size {
			// reading it leaves the descriptor where the rest is to be written
			err = readAll(opened, func(content []byte) {
				large.hash.Write(content)
				large.written += int64(len(content))
				w.progress()
			})
			if err == nil && large.written <= large.size && syscall.Fchmod(opened, large.mode&0o777) == nil {
				large.descriptor = opened
				return true
			}
		}
		syscall.Close(opened)
	}
	large.hash.Reset()
	large.written = 0
	_ = removeTree(large.folder, large.temporary, w.progress)
	return false
}

// setAside keeps what came of a large file, for a session that goes on with it.
func (w *treeWriter) setAside() {
	large := w.large
	if large == nil || large.part == "" || large.written < leastPart || syscall.Ftruncate(large.descriptor, large.written) != nil ||
		syscall.Renameat(large.folder, large.temporary, large.folder, large.part) != nil {
		w.discard()
		return
	}
	w.large = nil
	syscall.Close(large.descriptor)
	syscall.Close(large.folder)
}

func (w *treeWriter) chunk(content []byte) error {
	large := w.large
	if large == nil || large.written+int64(len(content)) > large.size {
		return errMalformed
	}
	hashed := make(chan struct{})
	go func() {
		large.hash.Write(content)
		close(hashed)
	}()
	err := writeAll(large.descriptor, content)
	<-hashed
	large.written += int64(len(content))
	if err != nil {
		w.discard()
		return w.explain(err, large.to)
	}
	return nil
}

func (w *treeWriter) end() error {
	large := w.large
	if large == nil {
		return errMalformed
	}
	var err error
	if large.written != large.size || !bytes.Equal(large.hash.Sum(nil), large.expected) {
		err = errCorrupt
	} else if err = syscall.Close(large.descriptor); err == nil {
		large.descriptor = -1
		err = w.place(large.folder, large.temporary, large.name, large.to)
	} else {
		large.descriptor = -1
	}
	if err == errKept {
		w.discard()
		w.kept = append(w.kept, large.to)
		return nil
	}
	if err != nil {
		w.discard()
		return w.explain(err, large.to)
	}
	syscall.Close(large.folder)
	w.large = nil
	return nil
}

// discard removes what there is of a file that comes in pieces.
func (w *treeWriter) discard() {
	large := w.large
	if large == nil {
		return
	}
	w.large = nil
	if large.descriptor >= 0 {
		syscall.Close(large.descriptor)
	}
	_ = unlinkAt(large.folder, large.temporary, 0)
	syscall.Close(large.folder)
}
