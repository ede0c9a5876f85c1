package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// newTree makes a root with a folder beside it that nothing may be written to.
func newTree(t *testing.T) (*treeWriter, string) {
	t.Helper()
	folder := t.TempDir()
	root := filepath.Join(folder, "root")
	for _, one := range []string{root, filepath.Join(folder, "outside")} {
		if err := os.Mkdir(one, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "outside", "kept"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return &treeWriter{walk: walker{roots: []string{root}}, prefix: temporaryPrefix + "test-", progress: func() {}}, root
}

// outside lists what is beside the root.
func outside(t *testing.T, root string) []string {
	t.Helper()
	beside, err := os.ReadDir(filepath.Dir(root))
	if err != nil || len(beside) != 2 {
		t.Errorf("beside the root there is %v, %v", beside, err)
	}
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(root), "outside"))
	if err != nil {
		t.Error(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func (w *treeWriter) put(path, content string) error {
	sum := sha256.Sum256([]byte(content))
	err := w.file(at{0, path}, 0o644, sum[:], []byte(content))
	w.walk.rest()
	return err
}

func TestContentThatIsNotWhatWasPromisedIsNotWritten(t *testing.T) {
	files, root := newTree(t)
	sum := sha256.Sum256([]byte("promised"))
	if err := files.file(at{0, "a"}, 0o644, sum[:], []byte("delivers")); err != errCorrupt {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Error(entries)
	}
}

func TestModesAreKeptWhateverTheUmask(t *testing.T) {
	files, root := newTree(t)
	files.umask = uint32(syscall.Umask(0o077))
	syscall.Umask(int(files.umask))
	sum := sha256.Sum256(nil)
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		old := syscall.Umask(umask)
		files.umask = uint32(umask)
		for _, mode := range []uint32{0o644, 0o600, 0o777, 0o755, 0o444, 0} {
			if err := files.file(at{0, "a"}, mode, sum[:], nil); err != nil {
				t.Error(err)
			}
			stat, err := os.Stat(filepath.Join(root, "a"))
			if err != nil || stat.Mode() != os.FileMode(mode) {
				t.Errorf("%o under %o: %v, %v", mode, umask, stat.Mode(), err)
			}
		}
		syscall.Umask(old)
	}
}

// A folder on the way that somebody turns into a link and back all the time never leads out.
func TestNobodyCanLeadItOutMeanwhile(t *testing.T) {
	files, root := newTree(t)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		way := filepath.Join(root, "way")
		for !stop.Load() {
			_ = os.Symlink("../outside", way)
			_ = os.RemoveAll(way)
			_ = os.Mkdir(way, 0o755)
			_ = os.RemoveAll(way)
		}
	}()
	for range 3000 {
		err := files.put("way/f", "x")
		var known failure
		if err != nil && !errors.As(err, &known) && unwrapped(err) == err {
			if _, is := err.(syscall.Errno); !is {
				t.Errorf("%v", err)
			}
		}
		_ = files.remove(at{0, "way/kept"})
		files.walk.rest()
	}
	stop.Store(true)
	<-done
	if got := outside(t, root); !reflect.DeepEqual(got, []string{"kept"}) {
		t.Errorf("outside of the root there is %v", got)
	}
}

func TestNothingStaysOpen(t *testing.T) {
	files, root := newTree(t)
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	before := count()
	_ = os.Symlink("../outside", filepath.Join(root, "out"))
	_ = os.Symlink("deep", filepath.Join(root, "in"))
	for _, path := range []string{"a", "deep/er/b", "in/c", "out/d", "a/e", "deep", strings.Repeat("n", 300), "deep"} {
		_ = files.put(path, "x")
	}
	_ = files.remove(at{0, "a/b/c"})
	for _, size := range []byte{1, 2} {
		body := fields{rest: append([]byte{0, 0, 0, 0, 0, 0, 0, 1, 'l', 0, 0, 1, 0xa4, 0, 0, 0, 0, 0, 0, 0, size}, make([]byte, 33)...)}
		if err := files.begin(&body, nil); err != nil {
			t.Error(err)
		}
		_ = files.chunk([]byte{1})
		_ = files.end()
		files.discard()
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if found, _ := filepath.Glob(filepath.Join(root, ".devloop-*")); len(found) > 0 {
		t.Error(found)
	}
}

// beginLarge begins a file that may go on where an earlier session was cut; says where that is.
func beginLarge(t *testing.T, files *treeWriter, content []byte) (int64, []byte) {
	t.Helper()
	sum := sha256.Sum256(content)
	body := binary.BigEndian.AppendUint64([]byte{0, 0, 0, 0, 0, 0, 0, 1, 'l', 0, 0, 1, 0xa4}, uint64(len(content)))
	body = append(append(body, sum[:]...), 1)
	there, of := int64(0), []byte(nil)
	if err := files.begin(&fields{rest: body}, func(bytes int64, sum []byte) { there, of = bytes, sum }); err != nil {
		t.Fatal(err)
	}
	return there, of
}

func TestALargeFileGoesOnWhereItWasCut(t *testing.T) {
	content := make([]byte, 3<<20)
	rand.Read(content)
	files, root := newTree(t)
	if there, _ := beginLarge(t, files, content); there != 0 {
		t.Error(there)
	}
	_ = files.chunk(content[:1<<20])
	_ = files.chunk(content[1<<20 : 2<<20])
	files.setAside()
	if found, _ := filepath.Glob(filepath.Join(root, partPrefix+"*")); len(found) != 1 {
		t.Fatal(found)
	}
	// another session, to which the same roots belong
	other := &treeWriter{walk: walker{roots: []string{root}}, prefix: temporaryPrefix + "other-", progress: func() {}}
	there, sum := beginLarge(t, other, content)
	if want := sha256.Sum256(content[:2<<20]); there != 2<<20 || !bytes.Equal(sum, want[:]) {
		t.Error(there, sum)
	}
	// who comes now begins anew: what was there is in use
	if there, _ := beginLarge(t, files, content); there != 0 {
		t.Error(there)
	}
	files.discard()
	if err := errors.Join(other.chunk(content[2<<20:]), other.end()); err != nil {
		t.Fatal(err)
	}
	if written, err := os.ReadFile(filepath.Join(root, "l")); err != nil || !bytes.Equal(written, content) {
		t.Error(len(written), err)
	}
	if found, _ := filepath.Glob(filepath.Join(root, ".devloop-*")); len(found) > 0 {
		t.Error(found)
	}
}

func TestWhatIsNoPartOfTheContentIsNotWritten(t *testing.T) {
	content := make([]byte, 2<<20)
	sum := sha256.Sum256(content)
	files, root := newTree(t)
	part := filepath.Join(root, partPrefix+hex.EncodeToString(sum[:]))
	for what, make := range map[string]func() error{
		"other bytes": func() error { return os.WriteFile(part, []byte("other bytes"), 0o644) },
		"too long":    func() error { return os.WriteFile(part, append(content, 1), 0o644) },
		"a folder":    func() error { return os.Mkdir(part, 0o755) },
		"a link":      func() error { return os.Symlink("../outside/kept", part) },
		"a hard link": func() error { return os.Link(filepath.Join(root, "../outside/kept"), part) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		there, of := beginLarge(t, files, content)
		if what == "other bytes" {
			// the sender sees by the hash that it is not its content; sent all the same, it is not taken
			if want := sha256.Sum256([]byte("other bytes")); there != 11 || !bytes.Equal(of, want[:]) {
				t.Error(what, there, of)
			}
			_ = files.chunk(content[11:])
			if err := files.end(); err == nil {
				t.Error("it was taken")
			}
		} else if there != 0 {
			t.Error(what, there)
		}
		files.discard()
		if found, _ := filepath.Glob(filepath.Join(root, "*")); len(found) > 0 {
			t.Error(what, found)
		}
	}
	if got := outside(t, root); !reflect.DeepEqual(got, []string{"kept"}) {
		t.Error(got)
	}
	if kept, _ := os.ReadFile(filepath.Join(root, "../outside/kept")); len(kept) > 0 {
		t.Error("what a link led to was written")
	}
}

func TestLittleIsNotSetAside(t *testing.T) {
	files, root := newTree(t)
	beginLarge(t, files, make([]byte, 2<<20))
	_ = files.chunk(make([]byte, 1000))
	files.setAside()
	files.setAside()
	if found, _ := filepath.Glob(filepath.Join(root, ".devloop-*")); len(found) > 0 {
		t.Error(found)
	}
}

func TestTheSweepTakesOnlyLeftOversOfOthers(t *testing.T) {
	_, root := newTree(t)
	for _, one := range []string{"a/.devloop-old", "a/b", ".devloop-older/deep/er", ".devlooprc", ".devloop-mine-1", "a/" + partPrefix + "00"} {
		path := filepath.Join(root, one)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Symlink("../outside", filepath.Join(root, "out"))
	_ = os.WriteFile(filepath.Join(root, "../outside/.devloop-foreign"), nil, 0o644)
	done := make(chan struct{})
	go func() {
		defer close(done)
		sweep([]string{root, filepath.Join(root, "none/at/all")}, ".devloop-mine-", partPrefix)
	}()
	<-done
	if os.Remove(filepath.Join(root, "a", partPrefix+"00")) != nil {
		t.Error("the part of a large file was swept")
	}
	left := []string{}
	_ = filepath.WalkDir(root, func(path string, _ os.DirEntry, _ error) error {
		left = append(left, strings.TrimPrefix(path, root))
		return nil
	})
	if want := []string{"", "/.devloop-mine-1", "/.devlooprc", "/a", "/a/b", "/out"}; !reflect.DeepEqual(left, want) {
		t.Errorf("%v is left", left)
	}
	if got := outside(t, root); !reflect.DeepEqual(got, []string{".devloop-foreign", "kept"}) {
		t.Error(got)
	}
}
