/** How a process runs the engine. */
export interface Engine {
  /** The folder of `pulumi` and, when built, of its language host and plugins. Unless on PATH it is called `bin`. */
  binDir: string;
  source: 'path' | 'download' | 'build';
  /** The whole environment for a child process: PATH with `binDir` first, and the engine's switches. */
  env: Record<string, string>;
}

/** @throws ToolchainError with what to do, when there is no way to an engine. */
export function ensureEngine(options?: {
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
  /** The folder of the vendor's downloads, for tests. */
  downloads?: string;
}): Promise<Engine>;

/** Makes a built engine's plugins installed ones of this Pulumi home; returns the variables to add to the environment. */
export function linkPlugins(
  engine: Pick<Engine, 'source' | 'binDir'>,
  pulumiHome: string,
): Record<string, string>;

/** The user's cache folder for this project. */
export function cacheFolder(env?: NodeJS.ProcessEnv): string;
