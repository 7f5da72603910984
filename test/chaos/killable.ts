import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Settings } from '../../automation/settings';
import { type Order, type Word, wordSchema } from './protocol';

const ENTRY = join(__dirname, 'service.ts');

/** One life of the service, in a process of its own. It has its code by the time that it is to begin: loading that takes seconds. */
export class KillableService {
  /** Resolves when the process has ended, whatever the reason. */
  readonly ended: Promise<void>;
  isDead = false;
  adminUrl = '';
  private rounds = 0;
  private readonly waiting = new Map<number, () => void>();
  private ready: () => void = () => undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly hear: (word: Word) => void,
  ) {
    this.ended = once(child, 'exit').then(() => {
      this.isDead = true;
    });
    child.on('message', (message) => this.take(wordSchema.parse(message)));
    // A message to a process that was killed a moment ago; that it is dead is told by its end.
    child.on('error', () => undefined);
  }

  /** @param hear told everything that it says */
  static spawn(settings: Settings, hear: (word: Word) => void): KillableService {
    const child = fork(ENTRY, [], {
      execArgv: ['--require', 'tsx/cjs'],
      env: { ...process.env, ...settings.environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new KillableService(child, hear);
  }

  /** Starts the service in it. Whether that listens then; false when it ended instead. */
  async begin(settings: Settings): Promise<boolean> {
    this.tell({ order: 'begin', settings: { ...settings } });
    await Promise.race([new Promise<void>((resolve) => (this.ready = resolve)), this.ended]);
    return !this.isDead;
  }

  /** @param rate virtual seconds that pass in a real one from now on */
  clock(now: number, rate: number): void {
    this.tell({ order: 'clock', now, rate });
  }

  /** Resolves when the round and what it started have ended, or the process has. */
  async round(): Promise<void> {
    const round = ++this.rounds;
    const done = new Promise<void>((resolve) => this.waiting.set(round, resolve));
    this.tell({ order: 'round', round });
    await Promise.race([done, this.ended]);
  }

  kill(): void {
    this.isDead = true;
    this.child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    this.tell({ order: 'end' });
    await this.ended;
  }

  private take(word: Word): void {
    if (word.word === 'ready') {
      this.adminUrl = word.adminUrl;
      this.ready();
    }
    if (word.word === 'ended') {
      this.waiting.get(word.round)?.();
      this.waiting.delete(word.round);
    }
    this.hear(word);
  }

  private tell(order: Order): void {
    if (this.child.connected) this.child.send(order, () => undefined);
  }
}
