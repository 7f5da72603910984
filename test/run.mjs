// Runs all tests but the demo, the long acceptance days (`npm run test:acceptance`) and the machines that boot for real
// (`npm run test:boot`), in two processes side by side: the suites of the service and its engine take as long as
// everything else together.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const ACCEPTANCE = /^(boot\/|chaos\/|demo\/demo\.test|service\/lessons-)/;
const SERVICE = /^(automation\/(apply|commands|review)|service)\//;

const files = readdirSync('test', { recursive: true })
  .filter((file) => file.endsWith('.test.ts') && !ACCEPTANCE.test(file))
  .sort();
const groups = [files.filter((file) => SERVICE.test(file)), files.filter((file) => !SERVICE.test(file))];

// One is shown as it comes, the other when both have ended: two reports line by line would be none.
const [shown, kept] = await Promise.all([run(groups[1], true), run(groups[0], false)]);
process.stdout.write(kept.text);
const total = (what) => [shown, kept].reduce((sum, { text }) => sum + count(text, what), 0);
process.stdout.write(`\n  ${total('passing')} passing\n  ${total('failing')} failing\n`);
process.exitCode = shown.code || kept.code;

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
