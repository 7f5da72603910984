package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func runRemotely(ctx context.Context, command string, properties property.Map) (property.Map, error) {
	var wanted struct {
		settings
		Connection connection `json:"connection"`
	}
	if err := plugin.Decode(properties, &wanted); err != nil {
		return property.Map{}, err
	}
	client, err := wanted.Connection.dial(ctx)
	if err != nil {
		return property.Map{}, err
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()

	session, err := client.NewSession()
	if err != nil {
		return property.Map{}, err
	}
	defer session.Close()
	for name, value := range wanted.Environment {
		if err := session.Setenv(name, value); err != nil {
			p.GetLogger(ctx).Infof("The SSH server does not accept the variable %s: %v. Allow it with AcceptEnv, "+
				"or write it in front of the command: %s=value command", name, err, name)
		}
	}
	for name, value := range wanted.previousOutput() {
		// Most servers accept none of these, and most commands need none.
		_ = session.Setenv(name, value)
	}
	if wanted.Stdin != "" {
		session.Stdin = strings.NewReader(wanted.Stdin)
	}
	printed := capture(ctx, wanted.Logging)
	session.Stdout, session.Stderr = printed.out(), printed.err()
	err = session.Run(command)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w (%v)", ctx.Err(), err)
	}
	return printed.outputs(command, err)
}
