package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// sweep removes what earlier sessions left behind below the roots: temporaries whose names do not begin as one of those that are kept. It runs in the background
// with the least priority, stays on the file system of each root, and leaves alone what it may not remove.
func sweep(roots []string, kept ...string) {
	// the thread with its priority ends with the goroutine
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19)
	for _, root := range roots {
		if folder, err := openAt(0, root, syscall.O_RDONLY|syscall.O_DIRECTORY, 0); err == nil {
			sweepFolder(folder, root, kept, true)
		} else if folder, err := openAt(0, filepath.Dir(root), syscall.O_RDONLY|syscall.O_DIRECTORY, 0); err == nil {
			// a single file, whose temporaries stand beside it
			sweepFolder(folder, filepath.Dir(root), kept, false)
		}
	}
}

// sweepFolder takes over the descriptor.
func sweepFolder(descriptor int, name string, kept []string, deep bool) {
	folder := os.NewFile(uintptr(descriptor), name)
	defer folder.Close()
	folders := []string{}
	for {
		entries, err := folder.ReadDir(256)
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), temporaryPrefix) {
				if !slices.ContainsFunc(kept, func(one string) bool { return strings.HasPrefix(entry.Name(), one) }) {
					_ = removeTree(descriptor, entry.Name(), func() {})
				}
			} else if deep && entry.IsDir() {
				folders = append(folders, entry.Name())
			}
		}
		if err != nil {
			if err != io.EOF {
				return
			}
			break
		}
	}
	var here, there syscall.Stat_t
	if syscall.Fstat(descriptor, &here) != nil {
		return
	}
	for _, one := range folders {
		below, err := openAt(descriptor, one, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if syscall.Fstat(below, &there) != nil || there.Dev != here.Dev {
			syscall.Close(below)
			continue
		}
		sweepFolder(below, one, kept, true)
	}
}
