package command

import (
	"crypto/ed25519"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"strconv"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sshd is an SSH server on a loopback port that runs commands with /bin/sh, serves files and connects through.
type sshd struct {
	host      string
	port      float64
	hostKey   string
	clientKey string
	// refuse is how many connections are cut off before the server answers.
	refuse    int
	connected int
}

func startSSH(t *testing.T, refuse int) *sshd {
	t.Helper()
	_, hostSeed, _ := ed25519.GenerateKey(nil)
	signer, err := ssh.NewSignerFromKey(hostSeed)
	if err != nil {
		t.Fatal(err)
	}
	_, clientSeed, _ := ed25519.GenerateKey(nil)
	client, err := ssh.NewSignerFromKey(clientSeed)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(clientSeed, "")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	number, _ := strconv.Atoi(port)
	server := &sshd{
		host: host, port: float64(number), refuse: refuse,
		hostKey: string(ssh.MarshalAuthorizedKey(signer.PublicKey())), clientKey: string(pem.EncodeToMemory(block)),
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(client.PublicKey().Marshal()) {
				return nil, io.EOF
			}
			return nil, nil
		},
	}
	config.AddHostKey(signer)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			server.connected++
			if server.connected <= server.refuse {
				conn.Close()
				continue
			}
			go serveConnection(conn, config)
		}
	}()
	return server
}

func (s *sshd) connection(more map[string]any) map[string]any {
	connection := map[string]any{
		"host": s.host, "port": s.port, "user": "root", "privateKey": s.clientKey, "hostKey": s.hostKey,
	}
	for name, value := range more {
		connection[name] = value
	}
	return connection
}

func serveConnection(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for newChannel := range channels {
		switch newChannel.ChannelType() {
		case "direct-tcpip":
			go connectThrough(newChannel)
		default:
			channel, requests, err := newChannel.Accept()
			if err == nil {
				go serveSession(channel, requests)
			}
		}
	}
}

func connectThrough(newChannel ssh.NewChannel) {
	var target struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	_ = ssh.Unmarshal(newChannel.ExtraData(), &target)
	conn, err := net.Dial("tcp", net.JoinHostPort(target.Host, strconv.Itoa(int(target.Port))))
	if err != nil {
		_ = newChannel.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := newChannel.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(conn, channel); conn.Close() }()
	_, _ = io.Copy(channel, conn)
	channel.Close()
}

func serveSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	var environment []string
	for request := range requests {
		var payload struct{ Name, Value string }
		switch request.Type {
		case "env":
			_ = ssh.Unmarshal(request.Payload, &payload)
			environment = append(environment, payload.Name+"="+payload.Value)
			_ = request.Reply(true, nil)
		case "exec":
			var wanted struct{ Command string }
			_ = ssh.Unmarshal(request.Payload, &wanted)
			_ = request.Reply(true, nil)
			process := exec.Command("/bin/sh", "-c", wanted.Command)
			process.Env = environment
			process.Stdin, process.Stdout, process.Stderr = channel, channel, channel.Stderr()
			_ = process.Run()
			status := struct{ Code uint32 }{uint32(process.ProcessState.ExitCode())}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
			channel.Close()
		case "subsystem":
			_ = request.Reply(true, nil)
			if files, err := sftp.NewServer(channel); err == nil {
				_ = files.Serve()
			}
			channel.Close()
		}
	}
}
