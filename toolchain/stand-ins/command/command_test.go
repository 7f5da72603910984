package command

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugintest"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	localToken  = "command:local:Command"
	remoteToken = "command:remote:Command"
	copyToken   = "command:remote:CopyToRemote"
)

func TestLocalCommandLifeCycle(t *testing.T) {
	plugin := plugintest.Configure(t, Package(), nil)
	trace := filepath.Join(t.TempDir(), "trace")
	inputs := plugintest.Map(map[string]any{
		"create":      "cat; echo $X; echo warning >&2",
		"update":      `echo "was $PULUMI_COMMAND_STDOUT"`,
		"delete":      `echo "$PULUMI_COMMAND_STDOUT" > ` + trace,
		"stdin":       "in,",
		"environment": map[string]any{"X": "value"},
	})
	id, state, err := plugin.Create(localToken, inputs, false)
	if err != nil || id == "" || state.Get("stdout").AsString() != "in,value" || state.Get("stderr").AsString() != "warning" {
		t.Fatalf("%q %v %v", id, state, err)
	}
	state, err = plugin.Update(localToken, id, state, inputs)
	if err != nil || state.Get("stdout").AsString() != "was in,value" {
		t.Fatalf("%v %v", state, err)
	}
	if err := plugin.Delete(localToken, id, state); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadFile(trace); string(left) != "was in,value\n" {
		t.Errorf("delete left %q", left)
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	plugin := plugintest.Configure(t, Package(), nil)
	trace := filepath.Join(t.TempDir(), "trace")
	_, state, err := plugin.Create(localToken, plugintest.Map(map[string]any{"create": "touch " + trace}), true)
	if err != nil || !state.Get("stdout").IsComputed() || state.Get("create").AsString() != "touch "+trace {
		t.Errorf("%v %v", state, err)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("the command ran")
	}
}

func TestFailureTellsWhatWasPrinted(t *testing.T) {
	plugin := plugintest.Configure(t, Package(), nil)
	_, _, err := plugin.Create(localToken, plugintest.Map(map[string]any{"create": "echo because >&2; exit 3"}), false)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "because") {
		t.Errorf("%v", err)
	}
}

func TestFilesOfALocalCommand(t *testing.T) {
	plugin := plugintest.Configure(t, Package(), nil)
	_, state, err := plugin.Create(localToken, plugintest.Map(map[string]any{
		"create": "mkdir -p d; echo 1 > d/a.txt; echo 2 > d/secret.txt", "dir": t.TempDir(),
		"assetPaths": []any{"**.txt", "!**secret.txt"}, "archivePaths": []any{"d/*"},
	}), false)
	if err != nil {
		t.Fatal(err)
	}
	if assets := state.Get("assets").AsMap(); assets.Len() != 1 || !assets.Get("d/a.txt").IsAsset() {
		t.Errorf("assets %v", assets)
	}
	if !state.Get("archive").IsArchive() {
		t.Errorf("archive %v", state.Get("archive"))
	}
}

func TestWhatReplacesACommand(t *testing.T) {
	plugin := plugintest.Configure(t, Package(), nil)
	for name, want := range map[string]p.DiffKind{"triggers": p.UpdateReplace, "create": p.Update, "environment": p.Update} {
		values := map[string][2]any{
			"triggers": {[]any{1.0}, []any{2.0}}, "create": {"a", "b"},
			"environment": {map[string]any{"A": "1"}, map[string]any{"A": "2"}},
		}[name]
		got := plugin.Diff(localToken, property.Map{},
			plugintest.Map(map[string]any{name: values[0]}), plugintest.Map(map[string]any{name: values[1]}))
		if !maps.Equal(got, map[string]p.DiffKind{name: want}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRemoteCommand(t *testing.T) {
	for _, row := range []struct {
		name   string
		refuse int
		more   map[string]any
		fails  string
	}{
		{name: "with its host key"},
		{name: "while the machine still boots", refuse: 3},
		{name: "without end", refuse: 3, more: map[string]any{"dialErrorLimit": -1.0}},
		{name: "at the limit of dials", refuse: 3, more: map[string]any{"dialErrorLimit": 1.0}, fails: "after 2 failed dials"},
		{name: "with another host key", more: map[string]any{"hostKey": otherKey, "dialErrorLimit": 0.0}, fails: "host key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := startSSH(t, row.refuse)
			plugin := plugintest.Configure(t, Package(), nil)
			_, state, err := plugin.Create(remoteToken, plugintest.Map(map[string]any{
				"create": "echo out; echo $X; echo err >&2", "environment": map[string]any{"X": "y"},
				"connection": server.connection(row.more),
			}), false)
			if row.fails != "" {
				if err == nil || !strings.Contains(err.Error(), row.fails) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || state.Get("stdout").AsString() != "out\ny" || state.Get("stderr").AsString() != "err" {
				t.Errorf("%v %v", state, err)
			}
			if !state.Get("connection").Secret() {
				t.Error("the connection is no secret in the state")
			}
		})
	}
}

const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtFBDNE7rIbrFhKPcGFUcv3bBBmJHeCnPPJx5gYnnwo"

func TestRemoteCommandThroughAProxy(t *testing.T) {
	proxy, server := startSSH(t, 1), startSSH(t, 2)
	plugin := plugintest.Configure(t, Package(), nil)
	_, state, err := plugin.Create(remoteToken, plugintest.Map(map[string]any{
		"create": "echo through", "connection": server.connection(map[string]any{"proxy": proxy.connection(nil)}),
	}), false)
	if err != nil || state.Get("stdout").AsString() != "through" {
		t.Errorf("%v %v", state, err)
	}
}

func TestATimeoutEndsEndlessDialling(t *testing.T) {
	server := startSSH(t, 1<<30)
	inputs := plugintest.Map(map[string]any{
		"create": "true", "connection": server.connection(map[string]any{"dialErrorLimit": -1.0}),
	})
	_, err := Package().Provider().Create(context.Background(), p.CreateRequest{
		Urn: "urn:pulumi:test::test::command:remote:Command::it", Properties: inputs, Timeout: 1,
	})
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded while connecting") {
		t.Errorf("%v", err)
	}
}

func TestCopyToRemote(t *testing.T) {
	server := startSSH(t, 0)
	plugin := plugintest.Configure(t, Package(), nil)
	local, remote := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(local, "f"), []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, _ := asset.FromText("text")
	file, _ := asset.FromPath(filepath.Join(local, "f"))
	folder, _ := archive.FromPath(local)
	for _, row := range []struct {
		source         property.Value
		to, then, want string
	}{
		{property.New(text), "new/t", "new/t", "text"},
		{property.New(file), ".", "f", "file"},
		{property.New(folder), "deep", "deep/" + filepath.Base(local) + "/f", "file"},
	} {
		inputs := plugintest.Map(map[string]any{
			"connection": server.connection(nil), "remotePath": filepath.Join(remote, row.to),
		}).Set("source", row.source)
		if _, _, err := plugin.Create(copyToken, inputs, false); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(remote, row.then)); string(got) != row.want {
			t.Errorf("%s: %q %v", row.then, got, err)
		}
	}
}

func TestLogShowsWholeLinesAsTheyCome(t *testing.T) {
	var lines []string
	log := lineLog{write: func(line string) { lines = append(lines, line) }}
	for _, text := range []string{"a", "b\nc", "d\n", "\n", "rest"} {
		_, _ = log.Write([]byte(text))
	}
	log.flush()
	if got := strings.Join(lines, "|"); got != "ab|cd||rest" {
		t.Error(got)
	}
}
