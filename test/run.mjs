// Runs the tests, two processes side by side where the tests bear company: a machine has two cores, and an engine waits a lot.
//   node test/run.mjs              all but the acceptance tests, and the machines that boot for real (`npm run test:boot`)
//   node test/run.mjs acceptance   the lessons and the demo, then the days with accidents, which have the machine to themselves
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';

/** Milliseconds without a word after which something is stuck where no test's own limit reaches it. */
const SILENCE = 15 * 60_000;

const LESSONS = /^service\/lessons-/;
const DEMO = /^demo\/demo\.test/;
const DAYS = /^chaos\//;
const BOOTS = /^boot\//;
/** The suites of the service and its engine take as long as everything else together. */
const SERVICE = /^(automation\/(apply|commands|review)|service)\//;

const files = readdirSync('test', { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .sort();
const lessons = files.filter((file) => LESSONS.test(file));
const demo = files.filter((file) => DEMO.test(file));
const days = files.filter((file) => DAYS.test(file));
const others = files.filter(
  (file) => ![LESSONS, DEMO, DAYS, BOOTS].some((elsewhere) => elsewhere.test(file)),
);

const [someLessons, otherLessons] = split(lessons, (file) => lessons.indexOf(file) % 2 === 0);

const stages = {
  acceptance: [[[...someLessons, ...demo], otherLessons], [days]],
  tests: [split(others, (file) => !SERVICE.test(file))],
}[process.argv[2] ?? 'tests'];

const ended = [];
for (const groups of stages) {
  const runs = groups.map(start);
  // One is shown as it comes, the next when that has ended: two reports line by line would be none.
  for (const run of runs) {
    run.show();
    ended.push(await run.ended);
  }
}
const total = (what) => ended.reduce((sum, { text }) => sum + count(text, what), 0);
process.stdout.write(`\n  ${total('passing')} passing\n  ${total('failing')} failing\n`);
process.exitCode = Math.max(...ended.map(({ code }) => code));

function split(all, isFirst) {
  return [all.filter(isFirst), all.filter((file) => !isFirst(file))];
}

function start(group) {
  const files = group.map((file) => join('test', file));
  const child = spawn('mocha', files, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let isShown = false;
  const say = (data) => {
    text += data;
    if (isShown) process.stdout.write(data);
  };
  const patience = setTimeout(() => {
    const minutes = SILENCE / 60_000;
    say(
      `\n  1 failing: nothing was heard for ${minutes} minutes, so these tests are ended where they stand.\n`,
    );
    child.kill('SIGKILL');
    child.stdout.destroy();
  }, SILENCE);
  child.stdout.on('data', (data) => {
    patience.refresh();
    say(data);
  });
  return {
    show() {
      isShown = true;
      process.stdout.write(text);
    },
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(patience);
        resolve({ text, code: code ?? 1 });
      });
    }),
  };
}

function count(text, what) {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\x1b\[[0-9;]*m/g, '');
  return Number(new RegExp(`^ +(\\d+) ${what}`, 'm').exec(plain)?.[1] ?? 0);
}
