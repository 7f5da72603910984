package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	"github.com/pkg/sftp"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func copyToRemote() plugin.Resource {
	return plugin.Resource{
		Inputs: []plugin.Input{
			{Name: "connection", Required: true, Secret: true},
			{Name: "remotePath", Required: true},
			{Name: "source", Required: true},
			{Name: "triggers", Replace: true},
		},
		Check: checkSource,
		Create: func(ctx context.Context, inputs property.Map) (string, property.Map, error) {
			id, err := newID()
			if err != nil {
				return "", property.Map{}, err
			}
			return id, property.Map{}, upload(ctx, inputs)
		},
		// A new connection alone copies nothing, as upstream.
		Update: func(ctx context.Context, _ string, state, inputs property.Map) (property.Map, error) {
			if hashOf(state) == hashOf(inputs) && state.Get("remotePath").Equals(inputs.Get("remotePath")) {
				return property.Map{}, nil
			}
			return property.Map{}, upload(ctx, inputs)
		},
		// What was copied stays when the resource goes, as upstream.
		Delete: func(context.Context, string, property.Map) error { return nil },
	}
}

func checkSource(inputs property.Map) []p.CheckFailure {
	switch source := inputs.Get("source"); {
	case source.IsComputed():
	case source.IsAsset() && (source.AsAsset().IsPath() || source.AsAsset().IsText()):
	case source.IsArchive() && source.AsArchive().IsPath():
	default:
		return []p.CheckFailure{{Property: "source", Reason: "must be a FileAsset, a StringAsset or a FileArchive"}}
	}
	return nil
}

func hashOf(properties property.Map) string {
	switch source := properties.Get("source"); {
	case source.IsAsset():
		return source.AsAsset().Hash
	case source.IsArchive():
		return source.AsArchive().Hash
	}
	return ""
}

func upload(ctx context.Context, inputs property.Map) error {
	var wanted struct {
		Connection connection `json:"connection"`
		RemotePath string     `json:"remotePath"`
	}
	if err := plugin.Decode(inputs, &wanted); err != nil {
		return err
	}
	client, err := wanted.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	files, err := sftp.NewClient(client)
	if err != nil {
		return fmt.Errorf("the SSH server does not take files (SFTP): %w", err)
	}
	defer files.Close()

	source := inputs.Get("source")
	if source.IsAsset() && source.AsAsset().IsText() {
		return write(files, bytes.NewReader([]byte(source.AsAsset().Text)), wanted.RemotePath)
	}
	from := ""
	if source.IsAsset() {
		from = source.AsAsset().Path
	} else {
		from = source.AsArchive().Path
	}
	return copyPath(files, from, wanted.RemotePath)
}

// copyPath puts a file at the remote path, or into it when that is a directory. A directory goes into the remote path
// under its own name; one that ends in a slash gives its contents only.
func copyPath(files *sftp.Client, from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	remote, err := files.Stat(to)
	exists := err == nil
	if !info.IsDir() {
		if exists && remote.IsDir() {
			to = path.Join(to, filepath.Base(from))
		}
		return copyFile(files, from, to)
	}
	if exists && !remote.IsDir() {
		return fmt.Errorf("remote path %s exists but is not a directory", to)
	}
	if !strings.HasSuffix(from, "/") {
		to = path.Join(to, filepath.Base(from))
	}
	return fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return files.MkdirAll(path.Join(to, name))
		}
		return copyFile(files, filepath.Join(from, name), path.Join(to, name))
	})
}

func copyFile(files *sftp.Client, from, to string) error {
	local, err := os.Open(from)
	if err != nil {
		return err
	}
	defer local.Close()
	return write(files, local, to)
}

func write(files *sftp.Client, content io.Reader, to string) error {
	if err := files.MkdirAll(path.Dir(to)); err != nil {
		return fmt.Errorf("failed to create the remote directory %s: %w", path.Dir(to), err)
	}
	remote, err := files.Create(to)
	if err != nil {
		return fmt.Errorf("failed to create the remote file %s: %w", to, err)
	}
	defer remote.Close()
	if _, err := remote.ReadFrom(content); err != nil {
		return fmt.Errorf("failed to write the remote file %s: %w", to, err)
	}
	return remote.Close()
}
