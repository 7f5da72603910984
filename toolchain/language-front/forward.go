package main

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxMessage is the engine's own limit, in bytes.
const maxMessage = 400 * 1024 * 1024

const runPlugin = "/pulumirpc.LanguageRuntime/RunPlugin"

// frame is a message as it is on the wire.
type frame []byte

// frames passes messages on without looking into them.
type frames struct{}

func (frames) Name() string { return "proto" }

func (frames) Marshal(message any) ([]byte, error) {
	data, ok := message.(*frame)
	if !ok {
		return nil, fmt.Errorf("%T is not a frame", message)
	}
	return *data, nil
}

func (frames) Unmarshal(data []byte, message any) error {
	into, ok := message.(*frame)
	if !ok {
		return fmt.Errorf("%T is not a frame", message)
	}
	*into = append(frame(nil), data...)
	return nil
}

// handler answers the start of a policy pack here, and lets the host answer everything else.
func handler(host grpc.ClientConnInterface) grpc.StreamHandler {
	return func(_ any, caller grpc.ServerStream) error {
		method, ok := grpc.MethodFromServerStream(caller)
		if !ok {
			return status.Error(codes.Internal, "a call without a method")
		}
		if method != runPlugin {
			return forward(host, method, caller)
		}
		var request frame
		if err := caller.RecvMsg(&request); err != nil {
			return err
		}
		return runPolicyPack(request, caller)
	}
}

// forward joins two streams; a call with one message each way is a stream too.
func forward(host grpc.ClientConnInterface, method string, caller grpc.ServerStream) error {
	ctx := caller.Context()
	if incoming, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, incoming.Copy())
	}
	stream, err := host.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		for {
			var message frame
			if err := caller.RecvMsg(&message); err != nil {
				_ = stream.CloseSend()
				return
			}
			if err := stream.SendMsg(&message); err != nil {
				return
			}
		}
	}()
	for {
		var message frame
		if err := stream.RecvMsg(&message); err != nil {
			caller.SetTrailer(stream.Trailer())
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := caller.SendMsg(&message); err != nil {
			return err
		}
	}
}
