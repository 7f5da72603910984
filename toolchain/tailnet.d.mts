/**
 * The folder with `headscale`, `tailscale`, `tailscaled` and the files of the vendor's package; built once.
 * @throws ToolchainError with what to do, when they cannot be built.
 */
export function ensureTailnet(options?: {
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}): Promise<string>;
