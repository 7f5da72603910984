import assert from 'node:assert/strict';
import { Command } from 'commander';
import { code, markdownFiles, read } from './markdown';

interface Shown {
  readonly file: string;
  readonly line: string;
  readonly words: readonly string[];
}

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Whatever follows a program's name, up to what ends the command. */
function uses(program: RegExp): Shown[] {
  return markdownFiles().flatMap((file) =>
    code(read(file)).flatMap((line) => {
      const found = program.exec(line);
      if (!found) return [];
      const rest = line.slice(found.index + found[0].length).split(/\s#|[|;&)]/)[0]!;
      return [{ file, line: line.trim(), words: rest.split(/\s+/).filter(Boolean) }];
    }),
  );
}

/** The command line that `automation/main.ts` makes: it is caught where it would run. */
function commandLine(): Command {
  const caught: { program?: Command } = {};
  const run: unknown = Reflect.get(Command.prototype, 'parseAsync');
  Command.prototype.parseAsync = function (this: Command) {
    caught.program = this;
    return Promise.resolve(this);
  };
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require('../../automation/main');
  } finally {
    Reflect.set(Command.prototype, 'parseAsync', run);
  }
  if (!caught.program) throw new Error('automation/main.ts did not begin to parse');
  return caught.program;
}

describe('commands in the documentation', function () {
  this.timeout(60_000);
  let program: Command;
  before(() => {
    program = commandLine();
  });

  it('of worker-pools are there, with each option that is shown', () => {
    const shown = uses(
      /(?:^|[\s$(])(?:npx )?(?:worker-pools|node automation\/worker-pools\.js) (?=[a-z])/,
    ).filter(
      ({ line }) =>
        !/systemctl|journalctl|docker|useradd|install |chown|sudo -u|git clone|-t worker-pools/.test(line),
    );
    assert.ok(shown.length > 40, `only ${shown.length} were found`);
    const wrong = shown.flatMap(({ file, line, words: [name = '', ...words] }) => {
      const command = program.commands.find((candidate) => candidate.name() === name);
      if (!command) return [`${file}: ${line}`];
      const known = command.options.flatMap(({ long, short }) => [long, short, '--help']);
      const options = words.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
      return options
        .filter((option) => !known.includes(option))
        .map((option) => `${file}: ${line}: ${option}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('of npm are scripts of the package', () => {
    const shown = [...uses(/npm run (?:--silent )?(?=[a-z])/), ...uses(/npm (?=test)/)];
    assert.ok(shown.length > 10, `only ${shown.length} were found`);
    assert.deepEqual(
      shown.filter(({ words: [name = ''] }) => scripts[name] === undefined),
      [],
    );
  });

  it('are all in the operations manual or the pages that it points to', () => {
    const all = markdownFiles().map(read).join('\n');
    const missing = program.commands.map((command) => command.name()).filter((name) => !all.includes(name));
    assert.deepEqual(missing, []);
  });
});
