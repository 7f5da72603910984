package command

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// The defaults are upstream's; so is the time between two attempts, which starts at firstDelay and grows to maxDelay.
const (
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15
	firstDelay            = 100 * time.Millisecond
	delayGrowth           = 1.5
	maxDelay              = 5 * time.Second
)

type endpoint struct {
	AgentSocketPath    string   `json:"agentSocketPath"`
	DialErrorLimit     *int     `json:"dialErrorLimit"`
	Host               string   `json:"host"`
	HostKey            string   `json:"hostKey"`
	Password           string   `json:"password"`
	PerDialTimeout     *float64 `json:"perDialTimeout"`
	Port               float64  `json:"port"`
	PrivateKey         string   `json:"privateKey"`
	PrivateKeyPassword string   `json:"privateKeyPassword"`
	User               string   `json:"user"`
}

type connection struct {
	endpoint
	Proxy *endpoint `json:"proxy"`
}

// dial tries again until the connection stands, as often as dialErrorLimit says (-1: for ever) and the context allows.
func (c connection) dial(ctx context.Context) (*ssh.Client, error) {
	if c.Proxy == nil {
		return c.endpoint.persist(ctx, func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		})
	}
	return c.endpoint.persist(ctx, func(ctx context.Context, address string) (net.Conn, error) {
		proxy, err := connection{endpoint: *c.Proxy}.dial(ctx)
		if err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
		conn, err := proxy.DialContext(ctx, "tcp", address)
		if err != nil {
			proxy.Close()
			return nil, fmt.Errorf("through the proxy %s: %w", c.Proxy.Host, err)
		}
		return &proxied{Conn: conn, proxy: proxy}, nil
	})
}

// proxied takes the connection to the proxy down with its own.
type proxied struct {
	net.Conn
	proxy *ssh.Client
}

func (c *proxied) Close() error {
	defer c.proxy.Close()
	return c.Conn.Close()
}

type dialer func(ctx context.Context, address string) (net.Conn, error)

func (e endpoint) persist(ctx context.Context, dial dialer) (*ssh.Client, error) {
	config, release, err := e.config()
	if err != nil {
		return nil, err
	}
	defer release()
	limit := defaultDialErrorLimit
	if e.DialErrorLimit != nil {
		limit = *e.DialErrorLimit
	}
	delay := firstDelay
	for attempt := 1; ; attempt++ {
		client, err := e.attempt(ctx, dial, config)
		if err == nil {
			return client, nil
		}
		if limit >= 0 && attempt > limit {
			return nil, fmt.Errorf("after %d failed dials: %w", attempt, err)
		}
		p.GetLogger(ctx).InfoStatusf("Dial %d to %s failed, trying again: %v", attempt, e.address(), err)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w while connecting to %s, after %d dials; the last one failed with: %v",
				ctx.Err(), e.address(), attempt, err)
		}
		delay = min(time.Duration(float64(delay)*delayGrowth), maxDelay)
	}
}

func (e endpoint) attempt(ctx context.Context, dial dialer, config *ssh.ClientConfig) (*ssh.Client, error) {
	timeout := time.Duration(defaultPerDialTimeout * float64(time.Second))
	if e.PerDialTimeout != nil {
		timeout = time.Duration(*e.PerDialTimeout * float64(time.Second))
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	conn, err := dial(ctx, e.address())
	if err != nil {
		return nil, err
	}
	// A machine that boots may accept a connection long before it answers, so the time counts for the handshake too.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	transport, channels, requests, err := ssh.NewClientConn(conn, e.address(), config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(transport, channels, requests), nil
}

func (e endpoint) address() string {
	port := 22
	if e.Port != 0 {
		port = int(e.Port)
	}
	return net.JoinHostPort(e.Host, strconv.Itoa(port))
}

// config is the SSH client's; release closes what it holds open.
func (e endpoint) config() (config *ssh.ClientConfig, release func(), err error) {
	config = &ssh.ClientConfig{User: e.User, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	release = func() {}
	if config.User == "" {
		config.User = "root"
	}
	if e.HostKey != "" {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(e.HostKey))
		if err != nil {
			return nil, nil, fmt.Errorf("hostKey is not in the form of an authorized_keys line: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		// Without this the server may show another of its keys.
		config.HostKeyAlgorithms = algorithmsFor(key.Type())
	}
	if e.PrivateKey != "" {
		signer, err := e.signer()
		if err != nil {
			return nil, nil, fmt.Errorf("privateKey cannot be used: %w", err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != "" {
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = e.Password
			}
			return answers, nil
		}
		config.Auth = append(config.Auth, ssh.Password(e.Password), ssh.KeyboardInteractive(answer))
	}
	socket := e.AgentSocketPath
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket != "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, nil, fmt.Errorf("the SSH agent does not answer: %w", err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
		release = func() { conn.Close() }
	}
	return config, release, nil
}

func (e endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != "" {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(e.PrivateKey), []byte(e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(e.PrivateKey))
}

func algorithmsFor(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}
