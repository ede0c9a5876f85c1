package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// at names an entry: the number of its root, and the path below it; "" = the root itself, a single file that is synced.
type at struct {
	root int
	path string
}

// walker leads to entries folder by folder, each opened below the one before, so that nobody can turn a folder into a link
// between looking and writing. It keeps the folders of the last path open until rest.
type walker struct {
	roots []string
	// Whether links on the way are followed, and folders are made; see reach and find.
	writing bool
	// Whether a write leaves what stands in its way: errKept then.
	careful bool
	root    int
	opened  []step
}

type step struct {
	name   string
	folder int
}

// failure is an error that names the path, for whoever asked.
type failure struct {
	code, path, text string
}

func (f failure) Error() string { return f.code + ": " + f.path + ": " + f.text }

// There is nothing: something on the way is missing, or is a link, below which nothing counts as part of the tree.
var errAbsent = errors.New("absent")

// Something else is there than whoever asked for a write expected: nothing was written.
var errKept = errors.New("kept")

const folderMode = 0o755

// place reads where an operation is to happen.
func (w *walker) place(body *fields) at {
	to := at{int(body.number()), body.text()}
	if to.root >= len(w.roots) {
		body.failed, to.root = true, 0
	}
	return to
}

func (w *walker) absolute(to at) string {
	root := w.roots[to.root]
	if to.path == "" {
		return root
	}
	return strings.TrimSuffix(root, "/") + "/" + to.path
}

// reach opens the folder that an entry is to be written into, and makes it if need be. A file or a dead link on the way is replaced; a
// link to a folder is followed if that is below the root too. The descriptor is the walker's.
func (w *walker) reach(to at) (folder int, name string, err error) { return w.walk(to, true) }

// find opens the folder that an entry is in. errAbsent = there is no such folder, or a link leads there.
func (w *walker) find(to at) (folder int, name string, err error) { return w.walk(to, false) }

// rest closes what is open. What others do to the tree meanwhile is seen by the next walk.
func (w *walker) rest() {
	for _, one := range w.opened {
		syscall.Close(one.folder)
	}
	w.opened = nil
}

func (w *walker) walk(to at, writing bool) (int, string, error) {
	if to.path == "" {
		w.rest()
		return w.besideRoot(to.root, writing)
	}
	names := strings.Split(to.path, "/")
	for _, name := range names {
		if name == "" || name == "." || name == ".." || strings.IndexByte(name, 0) >= 0 {
			return 0, "", fmt.Errorf("not a path: %q", to.path)
		}
	}
	if len(w.opened) == 0 || w.root != to.root || w.writing != writing {
		w.rest()
		folder, err := openRoot(w.roots[to.root], writing)
		if err != nil {
			return 0, "", err
		}
		w.root, w.writing, w.opened = to.root, writing, []step{{"", folder}}
	}
	folders := names[:len(names)-1]
	kept := 0
	for kept < len(folders) && kept+1 < len(w.opened) && w.opened[kept+1].name == folders[kept] {
		kept++
	}
	for _, one := range w.opened[kept+1:] {
		syscall.Close(one.folder)
	}
	w.opened = w.opened[:kept+1]
	for _, name := range folders[kept:] {
		next, err := w.enter(w.opened[len(w.opened)-1].folder, name, writing)
		if err != nil {
			return 0, "", err
		}
		w.opened = append(w.opened, step{name, next})
	}
	return w.opened[len(w.opened)-1].folder, names[len(names)-1], nil
}

// besideRoot opens the folder that a root is in.
func (w *walker) besideRoot(number int, writing bool) (int, string, error) {
	root := w.roots[number]
	if root == "/" {
		return 0, "", failure{"root-is-folder", root, "the root folder"}
	}
	folder, err := openRoot(filepath.Dir(root), writing)
	if err != nil {
		return 0, "", err
	}
	// not one of a path's own folders: the next walk begins anew
	w.root, w.opened = -1, []step{{"", folder}}
	return folder, filepath.Base(root), nil
}

// openRoot opens a root folder; whatever leads to it is trusted.
func openRoot(path string, writing bool) (int, error) {
	folder, err := openAt(0, path, openFolder, 0)
	if err == nil {
		return folder, nil
	}
	if !writing {
		return 0, absentOr(err)
	}
	// a file in the place of the folder
	if stat, err := os.Lstat(path); err == nil && stat.Mode().IsRegular() {
		if err := os.Remove(path); err != nil {
			return 0, unwrapped(err)
		}
	}
	if err := os.MkdirAll(path, folderMode); err != nil {
		return 0, unwrapped(err)
	}
	return openAt(0, path, openFolder, 0)
}

// enter opens the folder NAME in a folder.
func (w *walker) enter(folder int, name string, writing bool) (int, error) {
	for attempt := 0; ; attempt++ {
		next, err := openAt(folder, name, openFolder|syscall.O_NOFOLLOW, 0)
		if err == nil || attempt == 3 {
			return next, err
		}
		if !writing {
			return 0, absentOr(err)
		}
		switch err {
		case syscall.ENOENT:
			if err := syscall.Mkdirat(folder, name, folderMode); err != nil && err != syscall.EEXIST {
				return 0, err
			}
		case syscall.ENOTDIR, syscall.ELOOP:
			if w.careful {
				return 0, errKept
			}
			target, err := readLinkAt(folder, name)
			if err == nil {
				next, err := openAt(folder, name, openFolder, 0)
				if err == nil {
					if w.isInside(next) {
						return next, nil
					}
					syscall.Close(next)
					return 0, failure{"link-out", "", name + " -> " + target}
				}
				if absentOr(err) != errAbsent {
					return 0, err
				}
			} else if err != syscall.EINVAL && err != syscall.ENOENT {
				return 0, err
			}
			// a file, or a link to none
			if err := unlinkAt(folder, name, 0); err != nil && err != syscall.ENOENT && err != syscall.EISDIR {
				return 0, err
			}
		default:
			return 0, err
		}
	}
}

// isInside tells whether an open folder is the root or below it, by going up from it.
func (w *walker) isInside(folder int) bool {
	root := w.opened[0].folder
	if w.roots[w.root] == "/" {
		return true
	}
	current, err := duplicate(folder)
	if err != nil {
		return false
	}
	defer func() { syscall.Close(current) }()
	for range 4096 {
		if sameFile(current, root) {
			return true
		}
		above, err := openAt(current, "..", openFolder, 0)
		if err != nil {
			return false
		}
		if sameFile(above, current) {
			syscall.Close(above)
			return false
		}
		syscall.Close(current)
		current = above
	}
	return false
}

// absentOr turns errors that say that there is nothing of this name into errAbsent.
func absentOr(err error) error {
	switch err {
	case syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG:
		return errAbsent
	}
	return err
}

// unwrapped gives the number that the system said, where there is one.
func unwrapped(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
