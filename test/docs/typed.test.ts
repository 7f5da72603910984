import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { here, treatmentOf, type Treatment } from './command-table';
import { markdownFiles, read } from './markdown';
import type { Shell } from './shell';
import { shownIn, type ShownCommand, type ShownFile } from './shell-commands';
import { World } from './world';

/** A walk-through, whose YAML its reader writes into the stack's file; what it sets up is what all other pages speak of. */
const WALK_THROUGH = 'docs/get-started.md';
/** Before what takes workers away or gives orders. */
const EARLY = [WALK_THROUGH, 'README.md', 'docs/recipes.md', 'docs/service.md'];
/** Tells what there was, not what to do. */
const HISTORY = 'CHANGELOG.md';

interface Step {
  readonly page: string;
  readonly shown: ShownCommand | ShownFile;
  readonly treatment: Treatment;
}

/** What is the same for a reader: in a checkout or installed, and whatever the stack is called. */
function meant(text: string): string {
  return text
    .replace(/^npx (?=worker-pools)/, '')
    .replaceAll(/ --stack (?!builds-a --stack)\S+/g, ' --stack');
}

/** Every command of every page once, where it comes first. */
function steps(): Step[] {
  const rest = markdownFiles().filter((page) => page !== HISTORY && !EARLY.includes(page));
  const known = new Set<string>();
  return [...EARLY, ...rest].flatMap((page) =>
    shownIn(read(page)).flatMap((shown): Step[] => {
      if (shown.kind === 'file') return page === WALK_THROUGH ? [{ page, shown, treatment: {} }] : [];
      // A stack that is brought up twice in a walk-through is another one.
      if (known.has(meant(shown.text)) && !(page === WALK_THROUGH && shown.text === 'pulumi up')) return [];
      known.add(meant(shown.text));
      return [{ page, shown, treatment: treatmentOf(page, shown.text) ?? {} }];
    }),
  );
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

describe('every command that the documentation shows', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await World.start()));
  after(() => world?.close());

  const all = steps();
  const isLast = ({ treatment }: Step): boolean => 'last' in treatment && treatment.last === true;
  const pages = [...new Set(all.map(({ page }) => page))];
  const chapters: [title: string, steps: Step[]][] = [
    ...pages.map((page): [string, Step[]] => [
      page,
      all.filter((step) => step.page === page && !isLast(step)),
    ]),
    ['at the end', all.filter(isLast)],
  ];
  for (const [title, its] of chapters) {
    describe(title, () => {
      let shell: Shell;
      before(() => (shell = world.open()));
      after(() => shell?.close());

      for (const { shown, treatment } of its) {
        if (shown.kind === 'file') {
          it(`is configured: ${shown.text.split(':', 2).join(':')}`, () => world.write(shown.text));
        } else if ('because' in treatment) {
          it(`is well-formed, and not run: ${inOneLine(shown.text)} (${treatment.because})`, () => {
            const { status, stderr } = spawnSync('bash', ['-n', '-c', shown.text], { encoding: 'utf8' });
            assert.equal(status, 0, stderr);
          });
        } else {
          it(`works: ${inOneLine(shown.text)}`, () => type(shell, shown.text, treatment));
        }
      }
    });
  }

  async function type(
    shell: Shell,
    shown: string,
    treatment: Exclude<Treatment, { because: string }>,
  ): Promise<void> {
    const command = treatment.onWorker
      ? await world.ssh('staging-agents-0001', shown)
      : ((await treatment.instead?.(world)) ?? here(shown, world));
    if (treatment.untilItSays !== undefined) {
      const running = await world.leaveRunning(command, treatment.untilItSays);
      await treatment.then?.(world, running.text());
      if (!treatment.stays) await running.kill();
      return;
    }
    if (treatment.before) assert.equal((await shell.run(treatment.before(world))).code, 0);
    const { code, text } = await shell.run(command, treatment.typed?.(world));
    assert.ok((treatment.codes ?? [0]).includes(code), `exit code ${code} of\n${command}\n\n${text}`);
  }
});
