package command

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gobwas/glob"
	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// killedGrace is how long a cancelled command's children may still hold its output open.
const killedGrace = 5 * time.Second

func runLocally(ctx context.Context, command string, properties property.Map) (property.Map, error) {
	var wanted struct {
		settings
		ArchivePaths []string `json:"archivePaths"`
		AssetPaths   []string `json:"assetPaths"`
		Dir          string   `json:"dir"`
		Interpreter  []string `json:"interpreter"`
	}
	if err := plugin.Decode(properties, &wanted); err != nil {
		return property.Map{}, err
	}
	words := append(wanted.Interpreter, command)
	if len(wanted.Interpreter) == 0 {
		words = []string{"/bin/sh", "-c", command}
	}
	process := exec.CommandContext(ctx, words[0], words[1:]...)
	process.WaitDelay = killedGrace
	process.Dir = wanted.Dir
	process.Env = os.Environ()
	for _, variables := range []map[string]string{wanted.Environment, wanted.previousOutput()} {
		for name, value := range variables {
			process.Env = append(process.Env, name+"="+value)
		}
	}
	if wanted.Stdin != "" {
		process.Stdin = strings.NewReader(wanted.Stdin)
	}
	printed := capture(ctx, wanted.Logging)
	process.Stdout, process.Stderr = printed.out(), printed.err()

	outputs, err := printed.outputs(command, process.Run())
	if err != nil {
		return property.Map{}, err
	}
	return withFiles(outputs, wanted.Dir, wanted.AssetPaths, wanted.ArchivePaths)
}

// withFiles adds the files that a command was to leave behind.
func withFiles(outputs property.Map, dir string, assetPaths, archivePaths []string) (property.Map, error) {
	if assetPaths != nil {
		files, err := matching(dir, assetPaths)
		if err != nil {
			return property.Map{}, err
		}
		assets := map[string]property.Value{}
		for path, file := range files {
			assets[path] = property.New(file)
		}
		outputs = outputs.Set("assets", property.New(assets))
	}
	if archivePaths != nil {
		files, err := matching(dir, archivePaths)
		if err != nil {
			return property.Map{}, err
		}
		contents := map[string]any{}
		for path, file := range files {
			contents[path] = file
		}
		packed, err := archive.FromAssets(contents)
		if err != nil {
			return property.Map{}, err
		}
		outputs = outputs.Set("archive", property.New(packed))
	}
	return outputs, nil
}

// matching goes through the patterns in order; one that starts with ! takes files out again.
func matching(dir string, patterns []string) (map[string]*asset.Asset, error) {
	if dir == "" {
		dir = "."
	}
	files := map[string]*asset.Asset{}
	for _, pattern := range patterns {
		included, exclude := strings.CutPrefix(pattern, "!")
		matcher, err := glob.Compile(included, '/')
		if err != nil {
			return nil, err
		}
		err = fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !matcher.Match(path) {
				return err
			}
			if exclude {
				delete(files, path)
				return nil
			}
			files[path], err = asset.FromPath(filepath.Join(dir, path))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}
