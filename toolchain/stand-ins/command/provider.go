// Package command stands in for Pulumi's Command plugin: the same tokens, inputs and outputs for running commands on
// this machine and over SSH, and for copying files over SSH.
package command

import (
	"context"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Package is the plugin. Version is that of the npm package whose tokens and properties it answers to.
func Package() plugin.Package {
	return plugin.Package{
		Name:    "command",
		Version: "1.2.1",
		Resources: map[string]plugin.Resource{
			"command:local:Command":       commandResource(runLocally, localInputs, []string{"stdout", "stderr", "assets", "archive"}),
			"command:remote:Command":      commandResource(runRemotely, remoteInputs, []string{"stdout", "stderr"}),
			"command:remote:CopyToRemote": copyToRemote(),
		},
		Functions: map[string]func(context.Context, property.Map) (property.Map, error){
			"command:local:run": func(ctx context.Context, args property.Map) (property.Map, error) {
				outputs, err := runLocally(ctx, args.Get("command").AsString(), args)
				for name, value := range outputs.All {
					args = args.Set(name, value)
				}
				return args, err
			},
		},
	}
}

// runner runs one command with the settings of a resource's properties, which after the first run hold what the last
// one printed.
type runner func(ctx context.Context, command string, properties property.Map) (property.Map, error)

var commonInputs = []plugin.Input{
	{Name: "addPreviousOutputInEnv", Default: true},
	{Name: "create"},
	{Name: "delete"},
	{Name: "environment"},
	{Name: "logging"},
	{Name: "stdin"},
	{Name: "triggers", Replace: true},
	{Name: "update"},
}

var localInputs = append([]plugin.Input{
	{Name: "archivePaths"},
	{Name: "assetPaths"},
	{Name: "dir"},
	{Name: "interpreter"},
}, commonInputs...)

var remoteInputs = append([]plugin.Input{
	{Name: "connection", Required: true, Secret: true},
}, commonInputs...)

func commandResource(run runner, inputs []plugin.Input, outputs []string) plugin.Resource {
	return plugin.Resource{
		Inputs:   inputs,
		Computed: outputs,
		Volatile: outputs,
		Check:    checkLogging,
		Create: func(ctx context.Context, inputs property.Map) (string, property.Map, error) {
			id, err := newID()
			if err != nil {
				return "", property.Map{}, err
			}
			outputs, err := runIfSet(ctx, run, inputs.Get("create"), inputs)
			return id, outputs, err
		},
		// Without a command for updates, the one for creation runs again.
		Update: func(ctx context.Context, _ string, state, inputs property.Map) (property.Map, error) {
			command := inputs.Get("update")
			if command.IsNull() {
				command = inputs.Get("create")
			}
			for _, printed := range []string{"stdout", "stderr"} {
				inputs = inputs.Set(printed, state.Get(printed))
			}
			return runIfSet(ctx, run, command, inputs)
		},
		Delete: func(ctx context.Context, _ string, state property.Map) error {
			_, err := runIfSet(ctx, run, state.Get("delete"), state)
			return err
		},
	}
}

func runIfSet(ctx context.Context, run runner, command property.Value, properties property.Map) (property.Map, error) {
	if command.IsString() {
		return run(ctx, command.AsString(), properties)
	}
	outputs := map[string]property.Value{}
	for _, printed := range []string{"stdout", "stderr"} {
		outputs[printed] = property.New("")
		if last := properties.Get(printed); last.IsString() {
			outputs[printed] = last
		}
	}
	return property.NewMap(outputs), nil
}

func checkLogging(inputs property.Map) []p.CheckFailure {
	value := inputs.Get("logging")
	if !value.IsString() {
		return nil
	}
	switch value.AsString() {
	case "stdout", "stderr", "stdoutAndStderr", "none":
		return nil
	}
	return []p.CheckFailure{{Property: "logging", Reason: `must be "stdout", "stderr", "stdoutAndStderr" or "none"`}}
}

func newID() (string, error) { return resource.NewUniqueHex("command", 8, 0) }
