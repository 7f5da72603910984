package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// packRunner is the SDK's own program that a policy pack runs in.
const packRunner = "@pulumi/pulumi/cmd/run-policy-pack"

// runPolicyPack starts a policy pack with node, and tells what it says until it ends or the engine hangs up.
func runPolicyPack(request frame, caller grpc.ServerStream) error {
	var asked pulumirpc.RunPluginRequest
	if err := proto.Unmarshal(request, &asked); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if asked.GetKind() != "analyzer" {
		return status.Errorf(codes.Unimplemented, "the built language host runs policy packs, and no plugin of kind %q", asked.GetKind())
	}
	folder := asked.GetInfo().GetProgramDirectory()
	runner, err := locate(caller.Context(), folder)
	if err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	// The engine's address comes first, then the pack, which is the folder that it runs in.
	args := append([]string{runner}, asked.GetArgs()...)
	pack := exec.CommandContext(caller.Context(), "node", append(args, asked.GetInfo().GetEntryPoint())...)
	pack.Dir = folder
	pack.Env = asked.GetEnv()
	output := &sender{caller: caller}
	pack.Stdout = writer(func(data []byte) error {
		return output.send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: data}})
	})
	pack.Stderr = writer(func(data []byte) error {
		return output.send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: data}})
	})
	err = pack.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return status.Error(codes.Unavailable, err.Error())
	}
	code := &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(pack.ProcessState.ExitCode())}
	return output.send(&pulumirpc.RunPluginResponse{Output: code})
}

// locate finds the runner as the pack itself would.
func locate(ctx context.Context, folder string) (string, error) {
	find := exec.CommandContext(ctx, "node", "-p", "require.resolve('"+packRunner+"')")
	find.Dir = folder
	path, err := find.Output()
	if err != nil {
		return "", errors.New(packRunner + " is not to be found from " + folder + ": are its npm dependencies installed?")
	}
	return strings.TrimSpace(string(path)), nil
}

// sender lets both outputs of a pack share one stream.
type sender struct {
	mutex  sync.Mutex
	caller grpc.ServerStream
}

func (s *sender) send(response *pulumirpc.RunPluginResponse) error {
	data, err := proto.Marshal(response)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	message := frame(data)
	return s.caller.SendMsg(&message)
}

type writer func([]byte) error

func (w writer) Write(data []byte) (int, error) {
	if err := w(data); err != nil {
		return 0, err
	}
	return len(data), nil
}
