package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A process is one line of the node's standard input: a program to start and to keep.
type process struct {
	// Name of the process; its output goes to LOGS/NAME.log.
	Name string `json:"name"`
	// Args are the program's absolute path and its arguments.
	Args []string `json:"args"`
	// Restart says that the process is started again if it ends.
	Restart bool `json:"restart"`
}

// node is process 1 of the cluster: `node LOGS` starts what its standard input asks for, one JSON
// object a line, and ends when any of that ends but what is to be started again. With it the kernel
// ends every other process of the PID namespace, containers included, so that a cluster is whole or
// it is not there.
//
// The line `"keep"` is the last: from there on the cluster lives without the command that started
// it. Input that ends before that line means that the command died halfway, and so the cluster ends
// as well.
func node() int {
	if err := superviseNode(); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		return 1
	}
	return 0
}

func superviseNode() error {
	if len(os.Args) != 2 {
		return errors.New("usage: node LOGS")
	}
	if os.Getpid() != 1 {
		return errors.New("must be process 1 of a PID namespace of its own")
	}
	logs := os.Args[1]
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	if _, err := syscall.Setsid(); err != nil && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("failed to leave the terminal's session: %w", err)
	}
	const flags = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	if err := syscall.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("failed to mount /proc: %w", err)
	}

	if err := hideKernelParameters(); err != nil {
		return err
	}
	n := &nodeProcesses{logs: logs, running: map[int]running{}, fault: make(chan error, 2)}
	go func() {
		if err := n.startFrom(os.Stdin); err != nil {
			n.fail(err)
		}
	}()
	go n.reap()
	return <-n.fault
}

// hideKernelParameters gives the node copies of those kernel parameters that a kubelet sets: they
// are the whole machine's.
func hideKernelParameters() error {
	for _, parameter := range []string{
		"kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "kernel/panic",
		"kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom",
	} {
		path := filepath.Join("/proc/sys", parameter)
		value, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("failed to read kernel parameter: %w", err)
		}
		replacement := filepath.Join("/run", filepath.Base(parameter))
		if err := os.WriteFile(replacement, value, 0o644); err != nil {
			return fmt.Errorf("failed to copy kernel parameter: %w", err)
		}
		if err := syscall.Mount(replacement, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("failed to hide kernel parameter %s: %w", parameter, err)
		}
	}
	return nil
}

// nodeProcesses are the processes that the node must not lose.
type nodeProcesses struct {
	logs string
	// Held from before a process starts until it is in the table, so that its end never comes first.
	mutex   sync.Mutex
	running map[int]running
	// complete says that all was started.
	complete bool
	// fault is why the node ends: the first one counts.
	fault chan error
}

func (n *nodeProcesses) fail(err error) {
	select {
	case n.fault <- err:
	default:
	}
}

type running struct {
	process
	since time.Time
}

// pause is how long after its start a process is started again at the earliest, so that one that
// cannot start leaves the processor to others.
const pause = time.Second

// startFrom starts the processes that input asks for and returns after "keep".
func (n *nodeProcesses) startFrom(input io.Reader) error {
	lines := json.NewDecoder(input)
	for {
		var line json.RawMessage
		if err := lines.Decode(&line); err != nil {
			return fmt.Errorf("the command that started this node is gone: %w", err)
		}
		if string(line) == `"keep"` {
			n.mutex.Lock()
			defer n.mutex.Unlock()
			n.complete = true
			return nil
		}
		var p process
		if err := json.Unmarshal(line, &p); err != nil || p.Name == "" || len(p.Args) == 0 {
			return fmt.Errorf("not a process: %s", line)
		}
		if err := n.start(p); err != nil {
			return fmt.Errorf("failed to start %s: %w", p.Name, err)
		}
	}
}

func (n *nodeProcesses) start(p process) error {
	path := filepath.Join(n.logs, p.Name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	n.mutex.Lock()
	defer n.mutex.Unlock()
	pid, err := syscall.ForkExec(p.Args[0], p.Args, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return err
	}
	n.running[pid] = running{p, time.Now()}
	return nil
}

// reap waits for every child: the node's own and those that lost their parent, such as containers'
// shims. When one of the node's own ends, it is started again, or the node fails.
func (n *nodeProcesses) reap() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || pid <= 0:
			<-children
		default:
			n.mutex.Lock()
			p, ours := n.running[pid]
			delete(n.running, pid)
			complete := n.complete
			n.mutex.Unlock()
			switch {
			case !ours:
			case p.Restart && complete:
				go n.restart(p)
			default:
				n.fail(fmt.Errorf("%s ended: %s", p.Name, describe(status)))
			}
		}
	}
}

func (n *nodeProcesses) restart(p running) {
	time.Sleep(pause - time.Since(p.since))
	if err := n.start(p.process); err != nil {
		n.fail(fmt.Errorf("failed to start %s again: %w", p.Name, err))
	}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by signal " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}
