// Package plugin serves a few resource types and functions as a Pulumi resource plugin.
//
// A resource type is described by its inputs and by what to do with them; what every type has in common is here:
// checking inputs, comparing them, unknown values in previews, secrets, cancelling.
package plugin

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/middleware/cancel"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Package is one plugin: its configuration, its resource types and its functions by type token.
type Package struct {
	Name    string
	Version string
	// Config lists the provider's own settings.
	Config []Input
	// CheckConfig adds failures to those that Config gives. Unknown values are still unknown here.
	CheckConfig func(config property.Map) []p.CheckFailure
	// Configure is called once all settings are known, which in a preview may be never.
	Configure func(ctx context.Context, config property.Map) error
	Resources map[string]Resource
	Functions map[string]func(ctx context.Context, args property.Map) (property.Map, error)
}

// Serve answers the engine until it ends the plugin, or is gone itself: a killed engine ends nobody.
func (pkg Package) Serve() {
	go exitWithout(os.Getppid())
	err := p.RunProvider(context.Background(), pkg.Name, pkg.Version, pkg.Provider())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// exitWithout ends this process when it is not the given parent's child any more.
func exitWithout(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

// Provider is the package as the provider kit wants it.
func (pkg Package) Provider() p.Provider {
	return cancel.Wrap(p.Provider{
		GetSchema: func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
			return p.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":%q,"version":%q}`, pkg.Name, pkg.Version)}, nil
		},
		CheckConfig: func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
			inputs, failures := check(pkg.Config, req.Inputs)
			if len(failures) == 0 && pkg.CheckConfig != nil {
				failures = pkg.CheckConfig(inputs)
			}
			return p.CheckResponse{Inputs: inputs, Failures: failures}, nil
		},
		DiffConfig: func(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
			return diff(pkg.Config, req.OldInputs, req.Inputs), nil
		},
		Configure: func(ctx context.Context, req p.ConfigureRequest) error {
			if property.New(req.Args).HasComputed() || pkg.Configure == nil {
				return nil
			}
			return pkg.Configure(ctx, req.Args)
		},
		Invoke: func(ctx context.Context, req p.InvokeRequest) (p.InvokeResponse, error) {
			function, ok := pkg.Functions[string(req.Token)]
			if !ok {
				return p.InvokeResponse{}, pkg.unsupported("function", string(req.Token))
			}
			result, err := function(ctx, req.Args)
			return p.InvokeResponse{Return: result}, err
		},
		Check: func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return p.CheckResponse{}, err
			}
			inputs, failures := check(resource.Inputs, req.Inputs)
			if len(failures) == 0 && resource.Check != nil {
				failures = resource.Check(inputs)
			}
			return p.CheckResponse{Inputs: inputs, Failures: failures}, nil
		},
		Diff: func(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return p.DiffResponse{}, err
			}
			changes := diff(resource.Inputs, req.OldInputs, req.Inputs)
			if resource.Diff != nil {
				resource.Diff(req.State, req.Inputs, &changes)
			}
			return changes, nil
		},
		Create: func(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return p.CreateResponse{}, err
			}
			if req.DryRun {
				return p.CreateResponse{Properties: unknown(req.Properties, resource.Computed)}, nil
			}
			id, outputs, err := resource.Create(ctx, req.Properties)
			return p.CreateResponse{ID: id, Properties: merge(req.Properties, outputs)}, err
		},
		Read: func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return p.ReadResponse{}, err
			}
			if resource.Read == nil {
				return p.ReadResponse{ID: req.ID, Properties: req.Properties, Inputs: req.Inputs}, nil
			}
			state, found, err := resource.Read(ctx, req.ID, req.Properties)
			if err != nil || !found {
				return p.ReadResponse{}, err
			}
			state = merge(req.Properties, state)
			return p.ReadResponse{ID: req.ID, Properties: state, Inputs: inputsFrom(resource.Inputs, req.Inputs, state)}, nil
		},
		Update: func(ctx context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return p.UpdateResponse{}, err
			}
			kept := onlyOutputs(resource.Inputs, req.State)
			if req.DryRun {
				return p.UpdateResponse{Properties: unknown(merge(kept, req.Inputs), resource.Volatile)}, nil
			}
			outputs, err := resource.Update(ctx, req.ID, req.State, req.Inputs)
			return p.UpdateResponse{Properties: merge(merge(kept, req.Inputs), outputs)}, err
		},
		Delete: func(ctx context.Context, req p.DeleteRequest) error {
			resource, err := pkg.resource(string(req.Urn.Type()))
			if err != nil {
				return err
			}
			return resource.Delete(ctx, req.ID, req.Properties)
		},
	})
}

func (pkg Package) resource(token string) (Resource, error) {
	resource, ok := pkg.Resources[token]
	if !ok {
		return Resource{}, pkg.unsupported("resource type", token)
	}
	return resource, nil
}

// unsupported says what this plugin can do: it is a stand-in for a much larger one.
func (pkg Package) unsupported(kind, token string) error {
	var tokens []string
	for name := range pkg.Resources {
		tokens = append(tokens, name)
	}
	for name := range pkg.Functions {
		tokens = append(tokens, name)
	}
	sort.Strings(tokens)
	return fmt.Errorf("the %s %s is not part of this stand-in for Pulumi's %s plugin, which knows %s; "+
		"install the official plugin (docs/toolchain.md)", kind, token, pkg.Name, strings.Join(tokens, ", "))
}
