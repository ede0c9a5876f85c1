package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is what a watch has told, put together as devloop does it.
type seen struct {
	lock    sync.Mutex
	tree    map[string]string
	fresh   map[string]string
	again   int
	changed int
}

func (s *seen) take(kind kind, body []byte) {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch kind {
	case kindAgain:
		s.again++
	case kindWatching:
		s.tree, s.fresh = s.fresh, map[string]string{}
	case kindListed, kindChanged:
		f := fields{rest: body}
		for len(f.rest) > 0 {
			f.number()
			path := f.text()
			into := s.fresh
			if kind == kindChanged {
				s.changed++
				into = s.tree
				for one := range into {
					if strings.HasPrefix(one, path+"/") {
						delete(into, one)
					}
				}
			}
			switch f.byte() {
			case factAbsent:
				delete(into, path)
			case factFile:
				f.number()
				f.long()
				into[path] = "file " + string(f.bytes(32)[:1])
			case factLink:
				into[path] = "link " + f.text()
			}
		}
		if f.failed {
			panic("a fact that is not understood")
		}
	}
}

func (s *seen) names() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	names := []string{}
	for one := range s.tree {
		names = append(names, one)
	}
	return strings.Join(sorted(names), " ")
}

func sorted(names []string) []string {
	for i := range names {
		for j := i; j > 0 && names[j] < names[j-1]; j-- {
			names[j], names[j-1] = names[j-1], names[j]
		}
	}
	return names
}

// watching watches one root, and all below it but some folders.
func watching(t *testing.T, root string, skipped ...string) *seen {
	t.Helper()
	skip := map[at]bool{}
	for _, one := range skipped {
		skip[at{0, one}] = true
	}
	return follow(t, &treeWatch{roots: []string{root}, places: []at{{0, ""}}, skipped: skip})
}

// follow runs a watch until the test is over. Returns when the first list is complete.
func follow(t *testing.T, w *treeWatch) *seen {
	t.Helper()
	s := &seen{fresh: map[string]string{}}
	ended, over := make(chan struct{}), make(chan error)
	w.ended, w.send = ended, s.take
	go func() { over <- w.run() }()
	t.Cleanup(func() {
		close(ended)
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	s.expect(t, s.isWatching, "the list to be complete")
	return s
}

func (s *seen) isWatching() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.tree != nil
}

func (s *seen) expect(t *testing.T, holds func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s; there is: %s", what, s.names())
		}
	}
}

func (s *seen) expectNames(t *testing.T, names string) {
	t.Helper()
	s.expect(t, func() bool { return s.names() == names }, names)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchTellsWhatIsThereAndWhatChanges(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "skipped/in"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "a/b/one"), []byte("1"), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "skipped/in/x"), []byte("1"), 0o644))
	s := watching(t, root, "skipped")
	s.expectNames(t, "a/b/one")

	must(t, os.WriteFile(filepath.Join(root, "a/two"), []byte("2"), 0o644))
	must(t, os.Symlink("two", filepath.Join(root, "a/link")))
	must(t, os.Link(filepath.Join(root, "a/two"), filepath.Join(root, "a/linked")))
	s.expectNames(t, "a/b/one a/link a/linked a/two")

	// a folder that is there at once with all that is in it, and its files after that
	must(t, os.MkdirAll(filepath.Join(root, "new/deep"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "new/deep/three"), []byte("3"), 0o644))
	s.expectNames(t, "a/b/one a/link a/linked a/two new/deep/three")

	// under another name, its watches go with it
	must(t, os.Rename(filepath.Join(root, "new"), filepath.Join(root, "moved")))
	s.expectNames(t, "a/b/one a/link a/linked a/two moved/deep/three")
	must(t, os.WriteFile(filepath.Join(root, "moved/deep/four"), []byte("4"), 0o644))
	s.expectNames(t, "a/b/one a/link a/linked a/two moved/deep/four moved/deep/three")

	must(t, os.RemoveAll(filepath.Join(root, "a")))
	must(t, os.WriteFile(filepath.Join(root, "a"), []byte("a file now"), 0o644))
	s.expectNames(t, "a moved/deep/four moved/deep/three")

	// temporaries, and what is skipped, are told never
	must(t, os.WriteFile(filepath.Join(root, temporaryPrefix+"x"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(root, "skipped/in/y"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(root, "last"), nil, 0o644))
	s.expectNames(t, "a last moved/deep/four moved/deep/three")
	if s.again != 0 {
		t.Errorf("listed anew %d times", s.again)
	}
}

func TestWatchFollowsARootThatComesAndGoes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not/yet/root")
	s := watching(t, root)
	s.expectNames(t, "")
	must(t, os.MkdirAll(root, 0o755))
	must(t, os.WriteFile(filepath.Join(root, "one"), []byte("1"), 0o644))
	s.expectNames(t, "one")
	must(t, os.RemoveAll(root))
	s.expectNames(t, "")
	must(t, os.Mkdir(root, 0o755))
	must(t, os.WriteFile(filepath.Join(root, "two"), []byte("2"), 0o644))
	s.expectNames(t, "two")
}

func TestWatchOfPlacesInOneFolder(t *testing.T) {
	folder := t.TempDir()
	roots := []string{filepath.Join(folder, "one.json"), filepath.Join(folder, "two"), filepath.Join(folder, "three/four")}
	s := follow(t, &treeWatch{roots: roots, places: []at{{0, ""}, {1, ""}, {2, ""}}})
	must(t, os.Mkdir(roots[1], 0o755))
	must(t, os.WriteFile(filepath.Join(roots[1], "a"), nil, 0o644))
	s.expectNames(t, "a")
	must(t, os.MkdirAll(roots[2], 0o755))
	must(t, os.WriteFile(filepath.Join(roots[2], "b"), nil, 0o644))
	s.expectNames(t, "a b")
	must(t, os.WriteFile(roots[0], nil, 0o644))
	s.expectNames(t, " a b")
	must(t, os.RemoveAll(roots[1]))
	s.expectNames(t, " b")
	must(t, os.Mkdir(roots[1], 0o755))
	must(t, os.WriteFile(filepath.Join(roots[1], "c"), nil, 0o644))
	s.expectNames(t, " b c")
}

func TestWatchOfASingleFile(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lock.json")
	s := watching(t, root)
	must(t, os.WriteFile(root+".beside", []byte("1"), 0o644))
	must(t, os.WriteFile(root, []byte("1"), 0o644))
	s.expect(t, func() bool { return len(s.snapshot()) == 1 }, "the file")
	first := s.snapshot()[""]
	must(t, os.WriteFile(root+".tmp", []byte("2"), 0o644))
	must(t, os.Rename(root+".tmp", root))
	s.expect(t, func() bool { return s.snapshot()[""] != first && len(s.snapshot()) == 1 }, "its new content")
	must(t, os.Remove(root))
	s.expect(t, func() bool { return len(s.snapshot()) == 0 }, "it to be gone")
}

func (s *seen) snapshot() map[string]string {
	s.lock.Lock()
	defer s.lock.Unlock()
	copied := map[string]string{}
	for path, what := range s.tree {
		copied[path] = what
	}
	return copied
}

func TestWatchListsAnewWhenEventsWereLost(t *testing.T) {
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, "one"), nil, 0o644))
	w := &treeWatch{folders: map[int][]watched{}, pending: map[at]due{}}
	again, err := w.take(event{-1, 0x4000, ""})
	if !again || err != nil {
		t.Error(again, err)
	}
}

func TestAFileThatIsWrittenIsToldWhenItIsClosedOrRests(t *testing.T) {
	root := t.TempDir()
	s := watching(t, root)
	file, err := os.Create(filepath.Join(root, "log"))
	must(t, err)
	defer file.Close()
	_, err = file.WriteString("x")
	must(t, err)
	s.expectNames(t, "log")
	before := s.snapshot()["log"]
	_, err = file.WriteString("y")
	must(t, err)
	s.expect(t, func() bool { return s.snapshot()["log"] != before }, "what was added")
}

func TestWritesThatExpectSomethingElseAreLeftOut(t *testing.T) {
	files, root := newTree(t)
	files.forget()
	must(t, os.WriteFile(filepath.Join(root, "a"), []byte("theirs"), 0o644))
	must(t, os.MkdirAll(filepath.Join(root, "full/of"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "full/of/things"), nil, 0o644))
	must(t, os.MkdirAll(filepath.Join(root, "empty"), 0o755))
	walk := walker{roots: []string{root}}
	fact := func(path string) []byte { return appendFact(nil, &walk, at{0, path}, func() {}) }
	held := fact("a")
	walk.rest()
	must(t, os.WriteFile(filepath.Join(root, "a"), []byte("newer!"), 0o644))

	expect := func(path string, fact []byte, op func(to at) error) bool {
		t.Helper()
		to := at{0, path}
		files.expected[to] = fact
		files.guard(to)
		err := op(to)
		files.walk.rest()
		if err != nil && err != errKept {
			t.Error(path, err)
		}
		return err == nil
	}
	write := func(to at) error { return files.put(to.path, "ours") }
	remove := func(to at) error { return files.remove(to) }
	absent := []byte{factAbsent}
	for _, one := range []struct {
		path    string
		fact    []byte
		op      func(to at) error
		written bool
	}{
		{"a", held, write, false}, {"a", held, remove, false}, {"a", absent, write, false}, {"a/below", absent, write, false},
		{"full", absent, write, false}, {"empty", absent, write, true}, {"new/b", absent, write, true}, {"new/b", fact("new/b"), remove, false},
	} {
		if expect(one.path, one.fact, one.op) != one.written {
			t.Errorf("%s: written, or not, the other way round", one.path)
		}
	}
	if content, _ := os.ReadFile(filepath.Join(root, "a")); string(content) != "newer!" {
		t.Errorf("a holds %q", content)
	}
	if !expect("a", fact("a"), write) || !expect("new/b", fact("new/b"), remove) {
		t.Error("what is as expected was kept")
	}
	if _, err := os.Stat(filepath.Join(root, "full/of/things")); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, temporaryPrefix+"*")); len(left) > 0 {
		t.Error(left)
	}
}

func TestReadsPiecesOfFiles(t *testing.T) {
	root := t.TempDir()
	must(t, os.WriteFile(filepath.Join(root, "a"), []byte("0123456789"), 0o644))
	must(t, os.Symlink("a", filepath.Join(root, "link")))
	read := func(path string, offset uint64, count uint32) string {
		body := appendSized(binary.BigEndian.AppendUint32(nil, 0), path)
		body = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(body, offset), count)
		got := &strings.Builder{}
		s := &session{roots: []string{root}, writer: &frameWriter{to: got}}
		if err := s.readFile(1, &fields{rest: body}); err != nil {
			return err.Error()
		}
		return got.String()[4+frameHead:]
	}
	for _, one := range []struct {
		path   string
		offset uint64
		count  uint32
		got    string
	}{{"a", 0, 100, "0123456789"}, {"a", 3, 2, "34"}, {"a", 9, 5, "9"}, {"a", 10, 5, ""}, {"a", 99, 5, ""}} {
		if got := read(one.path, one.offset, one.count); got != one.got {
			t.Errorf("%v: %q", one, got)
		}
	}
	if got := read("none", 0, 1); !strings.HasPrefix(got, "ENOENT: ") {
		t.Error(got)
	}
	if got := read("link", 0, 1); !strings.HasPrefix(got, "ELOOP: ") {
		t.Error(got)
	}
	if got := read("a", 0, maxPiece+1); got != errMalformed.Error() {
		t.Error(got)
	}
}
