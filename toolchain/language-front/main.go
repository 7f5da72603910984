// pulumi-language-nodejs: a front for the Node language host of an older release, which lies beside it. Every call goes
// on to that host as it came, but for the start of a policy pack, which it does not know.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const hostProgram = "language-host-nodejs"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run lives as long as the host does.
func run(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return err
	}
	host := exec.Command(filepath.Join(filepath.Dir(self), hostProgram), args...)
	host.Stderr = os.Stderr
	output, err := host.StdoutPipe()
	if err != nil {
		return err
	}
	if err := host.Start(); err != nil {
		return fmt.Errorf("the Node language host does not start: %w", err)
	}
	lines := bufio.NewReader(output)
	port, err := lines.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the Node language host ended before it said its port: %w", host.Wait())
	}
	if err := serve("127.0.0.1:" + strings.TrimSpace(port)); err != nil {
		_ = host.Process.Kill()
		return err
	}
	_, _ = io.Copy(os.Stdout, lines)
	return host.Wait()
}

// serve forwards to the host at an address, and says its own port as a plugin does.
func serve(address string) error {
	host, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(frames{}), grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(
		grpc.ForceServerCodec(frames{}),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnknownServiceHandler(handler(host)))
	go func() { _ = server.Serve(listener) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return nil
}
