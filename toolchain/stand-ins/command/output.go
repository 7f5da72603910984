package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// settings are what local and remote commands have in common.
type settings struct {
	AddPreviousOutputInEnv *bool             `json:"addPreviousOutputInEnv"`
	Environment            map[string]string `json:"environment"`
	Logging                string            `json:"logging"`
	Stdin                  string            `json:"stdin"`
	Stdout                 string            `json:"stdout"`
	Stderr                 string            `json:"stderr"`
}

// previousOutput is the environment by which a command learns what the last one printed.
func (s settings) previousOutput() map[string]string {
	variables := map[string]string{}
	if s.AddPreviousOutputInEnv != nil && !*s.AddPreviousOutputInEnv {
		return variables
	}
	if s.Stdout != "" {
		variables["PULUMI_COMMAND_STDOUT"] = s.Stdout
	}
	if s.Stderr != "" {
		variables["PULUMI_COMMAND_STDERR"] = s.Stderr
	}
	return variables
}

// printed collects what a command prints and shows it in the engine's log line by line while the command runs.
type printed struct {
	stdout, stderr bytes.Buffer
	both           lockedBuffer
	log            *lineLog
	logging        string
}

func capture(ctx context.Context, logging string) *printed {
	return &printed{logging: logging, log: &lineLog{write: p.GetLogger(ctx).Info}}
}

func (o *printed) out() io.Writer { return o.writer(&o.stdout, "stdout") }
func (o *printed) err() io.Writer { return o.writer(&o.stderr, "stderr") }

func (o *printed) writer(buffer io.Writer, name string) io.Writer {
	if o.logging == "" || o.logging == "stdoutAndStderr" || o.logging == name {
		return io.MultiWriter(buffer, &o.both, o.log)
	}
	return io.MultiWriter(buffer, &o.both)
}

// outputs ends the log. A failed command's error carries all that it printed.
func (o *printed) outputs(command string, err error) (property.Map, error) {
	o.log.flush()
	if err != nil {
		return property.Map{}, fmt.Errorf("%w: running %q:\n%s", err, command, o.both.String())
	}
	return property.NewMap(map[string]property.Value{
		"stdout": property.New(strings.TrimSuffix(o.stdout.String(), "\n")),
		"stderr": property.New(strings.TrimSuffix(o.stderr.String(), "\n")),
	}), nil
}

type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// lineLog passes on whole lines.
type lineLog struct {
	mutex sync.Mutex
	rest  []byte
	write func(line string)
}

func (l *lineLog) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rest = append(l.rest, text...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(text), nil
		}
		l.write(string(line))
		l.rest = rest
	}
}

func (l *lineLog) flush() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.rest) > 0 {
		l.write(string(l.rest))
		l.rest = nil
	}
}
