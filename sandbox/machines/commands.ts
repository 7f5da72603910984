import { cloudInitStatus, formatStatus } from './cloud-init-status';
import type { Call, Program } from './console';
import { unitFile } from './effects';
import type { Machine } from './machine';

const OUTPUT_LOG = '/var/log/cloud-init-output.log';

/** What one can run on a simulated machine over SSH. */
export const COMMANDS: Record<string, Program> = {
  true: () => 0,
  false: () => 1,
  ':': () => 0,
  echo: ({ args, out }) => print(out, `${args.join(' ')}\n`),
  hostname: ({ console, out }) => print(out, `${console.machine.hostname}\n`),
  whoami: ({ out }) => print(out, 'root\n'),
  uname: ({ console, args, out }) =>
    print(out, args.includes('-n') ? `${console.machine.hostname}\n` : 'Linux\n'),
  uptime,
  cat: ({ args, console, stdin, out, err }) =>
    args.length === 0 ? print(out, stdin) : eachFile(args, console.machine, out, err, 'cat'),
  tail: (call) => lines(call, (all, count) => all.slice(-count)),
  head: (call) => lines(call, (all, count) => all.slice(0, count)),
  grep,
  test: ({ args, console }) => testFile(args, console.machine),
  '[': ({ args, console }) => testFile(args.slice(0, -1), console.machine),
  sysctl,
  nft: ({ args, console, out }) =>
    args.includes('ruleset') ? print(out, console.machine.system.nftRules.join('\n')) : 1,
  iptables: ({ console, out }) =>
    print(out, ['-P POSTROUTING ACCEPT', ...console.machine.system.iptablesRules].join('\n') + '\n'),
  systemctl,
  journalctl: ({ console, out }) => print(out, console.machine.log),
  tailscale,
  'cloud-init': cloudInit,
};

function print(out: (text: string) => void, text: string): number {
  out(text);
  return 0;
}

function fileOf(path: string, machine: Machine): string | undefined {
  if (path === OUTPUT_LOG || path === '/var/log/cloud-init.log') return machine.log;
  if (path === '/etc/hostname') return `${machine.hostname}\n`;
  if (path === '/var/lib/cloud/instance/user-data.txt') return machine.server.userData;
  if (path === '/var/lib/cloud/instance/boot-finished')
    return machine.phase === 'done' ? `${new Date(machine.lastUpdate).toUTCString()}\n` : undefined;
  if (path === '/proc/sys/net/ipv4/ip_forward') return machine.system.forwarding ? '1\n' : '0\n';
  return machine.system.files[path];
}

function eachFile(
  paths: string[],
  machine: Machine,
  out: (text: string) => void,
  err: (text: string) => void,
  name: string,
): number {
  let code = 0;
  for (const path of paths) {
    const content = fileOf(path, machine);
    if (content === undefined) {
      err(`${name}: ${path}: No such file or directory\n`);
      code = 1;
    } else out(content);
  }
  return code;
}

function lines(call: Call, choose: (all: string[], count: number) => string[]): number {
  const countAt = call.args.findIndex((arg) => arg === '-n' || arg === '--lines');
  const short = call.args.find((arg) => /^-n?\d+$/.test(arg));
  const count = Number(countAt >= 0 ? call.args[countAt + 1] : (short?.replace(/^-n?/, '') ?? 10));
  const paths = call.args.filter(
    (arg, index) => !arg.startsWith('-') && (countAt < 0 || index !== countAt + 1),
  );
  let text = '';
  const code =
    paths.length === 0
      ? print((part) => (text += part), call.stdin)
      : eachFile(paths, call.console.machine, (part) => (text += part), call.err, 'tail');
  const chosen = choose(text.split('\n').slice(0, -1), count);
  if (chosen.length > 0) call.out(`${chosen.join('\n')}\n`);
  return code;
}

function grep({ args, console, stdin, out, err }: Call): number {
  const flags = args.filter((arg) => arg.startsWith('-')).join('');
  const [pattern = '', ...paths] = args.filter((arg) => !arg.startsWith('-'));
  let text = stdin;
  if (paths.length > 0) {
    text = '';
    eachFile(paths, console.machine, (part) => (text += part), err, 'grep');
  }
  const expression = new RegExp(
    flags.includes('F') ? RegExp.prototype.source : pattern,
    flags.includes('i') ? 'i' : '',
  );
  const matches = (line: string): boolean =>
    flags.includes('F') ? line.includes(pattern) : expression.test(line);
  const found = text.split('\n').filter((line) => line !== '' && matches(line));
  if (!flags.includes('q') && found.length > 0) out(`${found.join('\n')}\n`);
  return found.length > 0 ? 0 : 1;
}

function testFile(args: string[], machine: Machine): number {
  const [flag = '', path = ''] = args;
  const content = fileOf(path, machine);
  if (flag === '-s') return content !== undefined && content !== '' ? 0 : 1;
  return ['-f', '-e', '-r', '-x'].includes(flag) && content !== undefined ? 0 : 1;
}

function uptime({ console, out }: Call): number {
  const now = console.now();
  const minutes = Math.floor((now - console.machine.startedAt) / 60_000);
  const clock = new Date(now).toISOString().slice(11, 19);
  return print(out, ` ${clock} up ${minutes} min,  1 user,  load average: 0.00, 0.00, 0.00\n`);
}

function sysctl({ args, console, out, err }: Call): number {
  const key = args.find((arg) => !arg.startsWith('-')) ?? '';
  if (key !== 'net.ipv4.ip_forward') {
    err(`sysctl: cannot stat /proc/sys/${key.replaceAll('.', '/')}: No such file or directory\n`);
    return 255;
  }
  const value = console.machine.system.forwarding ? '1' : '0';
  return print(out, args.includes('-n') ? `${value}\n` : `${key} = ${value}\n`);
}

function systemctl({ args, console, out }: Call): number {
  const { machine } = console;
  const [verb, ...units] = args.filter((arg) => !arg.startsWith('-'));
  if (verb === 'is-system-running') {
    const state = machine.phase === 'done' ? 'running' : 'starting';
    out(`${state}\n`);
    return state === 'running' ? 0 : 1;
  }
  if (verb !== 'is-active') return 0;
  const active = units.every((unit) => isActive(unit.replace(/\.service$/, ''), machine));
  if (!args.includes('--quiet') && !args.includes('-q')) out(active ? 'active\n' : 'inactive\n');
  return active ? 0 : 3;
}

function isActive(unit: string, machine: Machine): boolean {
  if (unit === 'ssh' || unit === 'sshd') return true;
  if (unit === 'tailscaled') return machine.tailscaleInstalled;
  if (unit === 'nftables') return machine.system.nftRules.length > 0;
  const file = unitFile(unit, machine.system.files);
  return file !== undefined && machine.phase === 'done';
}

function tailscale({ args, console, out, err }: Call): number {
  const { machine } = console;
  if (!machine.tailscaleInstalled) {
    err('bash: line 1: tailscale: command not found\n');
    return 127;
  }
  if (!machine.device) {
    out('Logged out.\n');
    return 1;
  }
  const { addresses } = machine.device;
  if (args[0] === 'ip') {
    const wanted = args.includes('-4') ? addresses.filter((address) => !address.includes(':')) : addresses;
    return print(out, wanted.map((address) => `${address}\n`).join(''));
  }
  if (args[0] === 'status')
    return print(out, `${addresses[0]}  ${machine.hostname}  tagged-devices  linux  -\n`);
  err(`the sandbox's machines answer "tailscale ip" and "tailscale status" only\n`);
  return 1;
}

/** Wall milliseconds between two dots of `--wait`, as 22.4 prints them. */
const DOT_INTERVAL_MS = 250;

async function cloudInit({ args, console, out, err }: Call): Promise<number> {
  if (args[0] === '--version') return print(out, '/usr/bin/cloud-init 22.4.2\n');
  if (args[0] !== 'status') {
    err('usage: cloud-init status [--long] [--wait] [--format {json,tabular,yaml}]\n');
    return 2;
  }
  const has = (long: string, short: string): boolean => args.includes(long) || args.includes(short);
  const formatAt = args.indexOf('--format');
  const format =
    args.find((arg) => arg.startsWith('--format='))?.slice('--format='.length) ??
    (formatAt >= 0 ? (args[formatAt + 1] ?? '') : 'tabular');
  const waits = has('--wait', '-w');
  if (waits) await untilSettled(console, format === 'tabular' ? out : () => {});
  const status = cloudInitStatus(console.machine);
  const prefix = waits && format === 'tabular' ? '\n' : '';
  out(prefix + formatStatus(status, format, has('--long', '-l')));
  return status.status === 'error' ? 1 : 0;
}

async function untilSettled(console: Call['console'], out: (text: string) => void): Promise<void> {
  const isUnsettled = (): boolean => ['not run', 'running'].includes(cloudInitStatus(console.machine).status);
  if (!isUnsettled()) return;
  out('.');
  const dots = setInterval(() => out('.'), DOT_INTERVAL_MS);
  try {
    while (isUnsettled() && !console.ended) await console.change();
  } finally {
    clearInterval(dots);
  }
}
