// Package clients runs the vendors' own Go clients against the local cloud, unchanged: what they send and what they
// read is what the vendors' APIs do. The sandbox's JSON line is expected in the environment variable SANDBOX.
package clients

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"
)

// endpoints is the line that the sandbox prints when it is up.
type endpoints struct {
	Hetzner    struct{ URL, Token string }
	Tailscale  struct{ URL, OAuthClientID, OAuthClientSecret string }
	Cloudflare struct{ URL, Token, Zone string }
}

func sandbox(t *testing.T) endpoints {
	t.Helper()
	var found endpoints
	if err := json.Unmarshal([]byte(os.Getenv("SANDBOX")), &found); err != nil {
		t.Fatalf("SANDBOX must hold the JSON line that `npm run sandbox` prints: %v", err)
	}
	return found
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func parseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	must(t, err)
	return parsed
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal fails the test unless both are the same.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// eventually polls until the condition holds or the test's time is up.
func eventually(t *testing.T, ctx context.Context, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within the test's time", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
