// Runs the tests, two processes side by side where the tests bear company: a machine has two cores, and an engine waits a lot.
//   node test/run.mjs              all but the acceptance tests, and the machines that boot for real (`npm run test:boot`)
//   node test/run.mjs acceptance   the lessons, then the days with accidents and the demo, which run on clocks of their own
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const LESSONS = /^service\/lessons-/;
const DAYS = /^(chaos\/|demo\/demo\.test)/;
const BOOTS = /^boot\//;
/** The suites of the service and its engine take as long as everything else together. */
const SERVICE = /^(automation\/(apply|commands|review)|service)\//;

const files = readdirSync('test', { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .sort();
const lessons = files.filter((file) => LESSONS.test(file));
const days = files.filter((file) => DAYS.test(file));
const others = files.filter((file) => ![LESSONS, DAYS, BOOTS].some((elsewhere) => elsewhere.test(file)));

const stages = {
  acceptance: [split(lessons, (file) => lessons.indexOf(file) % 2 === 0), [days]],
  tests: [split(others, (file) => !SERVICE.test(file))],
}[process.argv[2] ?? 'tests'];

const ended = [];
for (const [shown, ...kept] of stages) {
  // One is shown as it comes, the other when both have ended: two reports line by line would be none.
  const runs = await Promise.all([run(shown, true), ...kept.map((group) => run(group, false))]);
  runs.slice(1).forEach(({ text }) => process.stdout.write(text));
  ended.push(...runs);
}
const total = (what) => ended.reduce((sum, { text }) => sum + count(text, what), 0);
process.stdout.write(`\n  ${total('passing')} passing\n  ${total('failing')} failing\n`);
process.exitCode = Math.max(...ended.map(({ code }) => code));

function split(all, isFirst) {
  return [all.filter(isFirst), all.filter((file) => !isFirst(file))];
}

function run(group, live) {
  const child = spawn(
    'mocha',
    group.map((file) => join('test', file)),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
    if (live) process.stdout.write(data);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ text, code: code ?? 1 }));
  });
}

function count(text, what) {
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/\x1b\[[0-9;]*m/g, '');
  return Number(new RegExp(`^ +(\\d+) ${what}`, 'm').exec(plain)?.[1] ?? 0);
}
