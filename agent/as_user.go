package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// asUser finds what a command needs to run as a user, by name or number, with the user's groups: the credential (nil = the one that this process
// has) and the environment. A number that no user has gets group 0, as a container's does.
func asUser(wanted string) (*syscall.Credential, []string, error) {
	found, err := user.Lookup(wanted)
	if _, number := strconv.ParseUint(wanted, 10, 32); err != nil && number == nil {
		if found, err = user.LookupId(wanted); err != nil {
			found, err = &user.User{Uid: wanted, Gid: "0", HomeDir: "/"}, nil
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("there is no user %s", wanted)
	}
	uid, _ := strconv.ParseUint(found.Uid, 10, 32)
	if int(uid) == os.Geteuid() {
		return nil, os.Environ(), nil
	}
	if os.Geteuid() != 0 {
		return nil, nil, fmt.Errorf("the container runs as %d, which may not become another user", os.Geteuid())
	}
	gid, _ := strconv.ParseUint(found.Gid, 10, 32)
	groups := []uint32{}
	ids, _ := found.GroupIds()
	for _, one := range ids {
		if id, err := strconv.ParseUint(one, 10, 32); err == nil {
			groups = append(groups, uint32(id))
		}
	}
	environment := []string{"HOME=" + found.HomeDir}
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "HOME=") {
			environment = append(environment, one)
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groups}, environment, nil
}
