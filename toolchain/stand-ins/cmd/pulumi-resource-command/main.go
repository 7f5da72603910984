// Command pulumi-resource-command is a stand-in for Pulumi's Command plugin: see docs/toolchain.md.
package main

import "github.com/hcloud-worker-pools/toolchain/stand-ins/command"

func main() { command.Package().Serve() }
