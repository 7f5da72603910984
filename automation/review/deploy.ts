import { setTimeout as sleep } from 'node:timers/promises';
import { ConcurrentUpdateError, LocalWorkspace, Stack } from '@pulumi/pulumi/automation';

/** Pauses between tries (ms): the scaling service holds the lock for seconds at a time, but often. */
const SHORTEST_PAUSE = 2_000;
const LONGEST_PAUSE = 20_000;

export interface Update {
  stack: string;
  directory: string;
  environment: Record<string, string>;
  /** Milliseconds that a held lock is waited for. */
  patience: number;
  /** What the engine says, as it says it. */
  output: (text: string) => void;
  progress: (line: string) => void;
}

/**
 * Brings a stack up with the checkout's own program, as a person's `pulumi up` does; waits while another update runs.
 * @throws ConcurrentUpdateError when the lock is still held at the end, CommandError when the update fails
 */
export async function update({
  stack: name,
  directory,
  environment,
  output,
  ...rest
}: Update): Promise<void> {
  const workspace = await LocalWorkspace.create({ workDir: directory, envVars: environment });
  // Every command names its stack: an update must not change which one a person has selected.
  workspace.selectStack = () => Promise.resolve();
  const stack = await Stack.select(name, workspace);
  await whileBusy(rest, () =>
    stack.up({ color: 'never', showSecrets: false, suppressOutputs: true, onOutput: output }),
  );
}

/** Tries again while the stack is locked. Pauses grow and differ, so that two that wait do not meet again and again. */
export async function whileBusy<T>(
  { patience, progress }: Pick<Update, 'patience' | 'progress'>,
  attempt: () => Promise<T>,
  { now = Date.now, pause = (ms: number) => sleep(ms), random = Math.random } = {},
): Promise<T> {
  const end = now() + patience;
  for (let longest = SHORTEST_PAUSE; ; longest = Math.min(longest * 2, LONGEST_PAUSE)) {
    try {
      return await attempt();
    } catch (error) {
      const left = end - now();
      if (!(error instanceof ConcurrentUpdateError) || left <= 0) throw error;
      progress(`${holderOf(error)} holds the stack, waiting`);
      await pause(Math.min(left, longest * (0.5 + random() / 2)));
    }
  }
}

/** Who holds the stack, where the backend tells. */
export function holderOf({ message }: Error): string {
  const [, holder] = /\bcreated by (.+)/.exec(message) ?? [];
  return holder === undefined ? 'another update' : `the update of ${holder.trim()}`;
}
