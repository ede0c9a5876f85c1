package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// Calls that package syscall lacks, and errors by their names. Folders are descriptors opened with O_PATH, which needs no more than the
// right to go through them.

const (
	openPath  = 0x200000 // O_PATH
	removeDir = 0x200    // AT_REMOVEDIR

	renameNoReplace = 1 // RENAME_NOREPLACE
	renameExchange  = 2 // RENAME_EXCHANGE

	openFolder = openPath | syscall.O_DIRECTORY | syscall.O_CLOEXEC
)

// keepSize has Fallocate take space and leave the size of the file as it is.
const keepSize = 1

func openAt(folder int, name string, flags int, mode uint32) (int, error) {
	for {
		opened, err := syscall.Openat(folder, name, flags|syscall.O_CLOEXEC, mode)
		if err != syscall.EINTR {
			return opened, err
		}
	}
}

func unlinkAt(folder int, name string, flags int) error {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return failed(syscall.Syscall(syscall.SYS_UNLINKAT, uintptr(folder), uintptr(unsafe.Pointer(path)), uintptr(flags)))
}

// renameAt renames within a folder as the flags say; errUnsupported where the system, or the file system, cannot.
func renameAt(folder int, from, to string, flags int) error {
	one, err := syscall.BytePtrFromString(from)
	if err != nil {
		return err
	}
	other, err := syscall.BytePtrFromString(to)
	if err != nil {
		return err
	}
	err = failed(syscall.Syscall6(renameat2[runtime.GOARCH], uintptr(folder), uintptr(unsafe.Pointer(one)),
		uintptr(folder), uintptr(unsafe.Pointer(other)), uintptr(flags), 0))
	if err == syscall.ENOSYS || err == syscall.EINVAL || err == syscall.EPERM {
		return errUnsupported
	}
	return err
}

var errUnsupported = errors.New("the file system cannot")

// The number of a call that package syscall does not name.
var renameat2 = map[string]uintptr{"amd64": 316, "arm64": 276}

func symlinkAt(target string, folder int, name string) error {
	from, err := syscall.BytePtrFromString(target)
	if err != nil {
		return err
	}
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return failed(syscall.Syscall(syscall.SYS_SYMLINKAT, uintptr(unsafe.Pointer(from)), uintptr(folder), uintptr(unsafe.Pointer(path))))
}

// readLinkAt gives where a link leads; EINVAL = it is no link.
func readLinkAt(folder int, name string) (string, error) {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return "", err
	}
	buffer := make([]byte, 4096)
	count, _, errno := syscall.Syscall6(syscall.SYS_READLINKAT, uintptr(folder), uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)), 0, 0)
	if errno != 0 {
		return "", errno
	}
	return string(buffer[:count]), nil
}

// statAt looks at an entry itself, not at what it leads to.
func statAt(folder int, name string) (syscall.Stat_t, error) {
	var stat syscall.Stat_t
	entry, err := openAt(folder, name, openPath|syscall.O_NOFOLLOW, 0)
	if err == nil {
		err = syscall.Fstat(entry, &stat)
		syscall.Close(entry)
	}
	return stat, err
}

func duplicate(descriptor int) (int, error) {
	made, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(descriptor), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(made), nil
}

func failed(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// sameFile tells whether two open descriptors are the same folder.
func sameFile(a, b int) bool {
	var one, other syscall.Stat_t
	return syscall.Fstat(a, &one) == nil && syscall.Fstat(b, &other) == nil && one.Dev == other.Dev && one.Ino == other.Ino
}

func writeAll(to int, content []byte) error {
	for len(content) > 0 {
		count, err := syscall.Write(to, content)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		content = content[count:]
	}
	return nil
}

var errnoNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EBUSY: "EBUSY", syscall.EDQUOT: "EDQUOT", syscall.EEXIST: "EEXIST", syscall.EFBIG: "EFBIG",
	syscall.EINVAL: "EINVAL", syscall.EIO: "EIO", syscall.EISDIR: "EISDIR", syscall.ELOOP: "ELOOP", syscall.EMFILE: "EMFILE",
	syscall.ENAMETOOLONG: "ENAMETOOLONG", syscall.ENOENT: "ENOENT", syscall.ENOSPC: "ENOSPC", syscall.ENOTDIR: "ENOTDIR",
	syscall.ENOTEMPTY: "ENOTEMPTY", syscall.EPERM: "EPERM", syscall.EROFS: "EROFS", syscall.ESTALE: "ESTALE", syscall.ETXTBSY: "ETXTBSY",
}

// describe gives an error a stable name and words.
func describe(err error) (code, text string) {
	if errno, is := err.(syscall.Errno); is {
		if name, known := errnoNames[errno]; known {
			return name, errno.Error()
		}
		return fmt.Sprintf("E%d", int(errno)), errno.Error()
	}
	return "", err.Error()
}
