package main

import (
	"io"
	"os"
	"path/filepath"
)

// install copies this program to FOLDER/agent, executable for everybody. Written beside and renamed: whoever starts it there
// meanwhile gets the old one or the new one.
func install(folder string) error {
	source, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer source.Close()
	beside, err := os.CreateTemp(folder, temporaryPrefix+"*")
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name())
	defer beside.Close()
	if _, err := io.Copy(beside, source); err != nil {
		return err
	}
	if err := beside.Chmod(0o755); err != nil {
		return err
	}
	// a file that is open for writing cannot be executed
	if err := beside.Close(); err != nil {
		return err
	}
	return os.Rename(beside.Name(), filepath.Join(folder, "agent"))
}
