import { type ShellCommand, parseShell } from './shell';

/** What the commands of a machine have done to it so far; plain data, kept over reboots. */
export interface SystemState {
  files: Record<string, string>;
  defaultRoute: boolean;
  resolvers: boolean;
  forwarding: boolean;
  /** Source NAT rules as they were given, nft text and iptables lines. */
  nftRules: string[];
  iptablesRules: string[];
}

/** What a list of commands asks for beyond the machine itself. */
export interface Asked {
  /** The first `tailscale up`, with variables and `$(cat …)` put in, and the files as they were then. */
  tailscaleUp: { args: string[]; files: Record<string, string> } | undefined;
  installsTailscale: boolean;
  usesNetwork: boolean;
  /** Loops around a network command, or lets curl or apt retry. */
  waitsForNetwork: boolean;
  /** Scripts that a command names and that are not on the disk. */
  missingFiles: string[];
  /** Files that ran as programs, units' included, in order. */
  ranFiles: string[];
}

const NETWORK_COMMANDS = new Set([
  'apt',
  'apt-get',
  'curl',
  'wget',
  'docker',
  'tailscale',
  'dnf',
  'pip',
  'snap',
]);
const PROBES = new Set([
  'apt',
  'apt-get',
  'curl',
  'wget',
  'ping',
  'getent',
  'nc',
  'host',
  'dig',
  'nslookup',
  'resolvectl',
]);
const SHELLS = new Set(['sh', 'bash', 'dash', '.', 'source']);
const PREFIXES = new Set(['sudo', 'env', 'nohup', 'command']);
const MAX_DEPTH = 5;

/**
 * Plays commands on a machine: changes `system` as they would and reports what they ask for. Only what matters to
 * the simulation is understood; every branch of a condition counts as taken.
 */
export function playCommands(lines: string[], system: SystemState, hostname: string): Asked {
  const player = new Player(system, hostname);
  for (const line of lines) player.run(line, 0);
  return player.asked;
}

class Player {
  readonly asked: Asked = {
    tailscaleUp: undefined,
    installsTailscale: false,
    usesNetwork: false,
    waitsForNetwork: false,
    missingFiles: [],
    ranFiles: [],
  };
  private readonly variables = new Map<string, string>();
  private readonly functions = new Set<string>();
  private loops = false;
  private probes = false;
  private sleeps = false;

  constructor(
    private readonly system: SystemState,
    private readonly hostname: string,
  ) {}

  run(text: string, depth: number): void {
    if (depth > MAX_DEPTH) return;
    for (const [, name = ''] of text.matchAll(/^\s*(\w+)\(\)\s*\{/gm)) this.functions.add(name);
    for (const command of parseShell(text)) this.runCommand(command, depth);
    this.asked.waitsForNetwork ||= this.loops && this.probes && this.sleeps;
  }

  private runCommand(command: ShellCommand, depth: number): void {
    this.loops ||= ['until', 'while', 'for'].includes(command.keyword ?? '');
    const words = this.withoutAssignments(command.words.map((word) => this.expand(word)));
    while (PREFIXES.has(words[0] ?? '')) words.shift();
    if (words[0] === 'timeout') words.splice(0, words[1]?.startsWith('-') ? 3 : 2);
    // A script's own function (`retry 5 apt-get …`) is taken for a wrapper around its arguments.
    if (this.functions.has(words[0] ?? '')) words.splice(0, /^\d+$/.test(words[1] ?? '') ? 2 : 1);
    const [path = '', ...args] = words;
    const name = path.replace(/^\/(usr\/)?s?bin\//, '');
    this.writeOutputs(command, name, args);
    this.note(name, args);
    if (SHELLS.has(name) && args[0] === '-c') this.run(args[1] ?? '', depth + 1);
    else if (SHELLS.has(name)) this.runFile(args.find((arg) => !arg.startsWith('-')) ?? '', depth);
    else if (name.startsWith('/')) this.runFile(name, depth);
    else if (name === 'systemctl') this.runUnits(args, depth);
    this.apply(name, args, command.input);
  }

  private note(name: string, args: string[]): void {
    const line = args.join(' ');
    this.sleeps ||= name === 'sleep';
    this.probes ||= PROBES.has(name) || line.includes('/dev/tcp/');
    this.asked.usesNetwork ||= NETWORK_COMMANDS.has(name);
    this.asked.waitsForNetwork ||= /--retry[ =]|Acquire::Retries/.test(line);
    const packageInstall =
      /^(apt|apt-get|dnf|apk|dpkg)$/.test(name) && /(install|add|-i)\b.*tailscale/.test(line);
    this.asked.installsTailscale ||= packageInstall || /tailscale\.com\/install\.sh/.test(line);
    if (name === 'tailscale' && args[0] === 'up')
      this.asked.tailscaleUp ??= { args: args.slice(1), files: { ...this.system.files } };
  }

  private runFile(path: string, depth: number): void {
    const content = this.system.files[path];
    if (content !== undefined) {
      this.asked.ranFiles.push(path);
      this.run(content, depth + 1);
    }
    // Programs of the image are no files here; what lies where only write_files puts it must be there.
    else if (/^\/(usr\/local|opt|root|run|tmp|var\/lib)\//.test(path)) this.asked.missingFiles.push(path);
  }

  private runUnits(args: string[], depth: number): void {
    const starts = args.some((arg) => ['start', 'restart', 'reload', '--now'].includes(arg));
    if (!starts) return;
    for (const arg of args)
      for (const match of unitFile(arg, this.system.files)?.matchAll(
        /^ExecStart(?:Pre|Post)?=[-+@!:]*(.+)$/gm,
      ) ?? [])
        this.run(match[1] ?? '', depth + 1);
  }

  private apply(name: string, args: string[], input: string | undefined): void {
    const { system } = this;
    const line = [name, ...args].join(' ');
    if (/^ip (-4 )?route (add|replace|append|change|prepend) (default|0\.0\.0\.0\/0)\b/.test(line))
      system.defaultRoute = true;
    if (
      /^(netplan apply|networkctl reload|systemctl (re)?start (systemd-networkd|networking)|ifup|ifreload)/.test(
        line,
      )
    )
      system.defaultRoute ||= this.anyFile(
        /^\/etc\/(netplan|systemd\/network|network\/interfaces)/,
        /(to:\s*["']?(default|0\.0\.0\.0\/0)|^\s*Gateway=|^\s*gateway |route add (default|0\.0\.0\.0))/m,
      );
    system.resolvers ||=
      /^resolvectl dns/.test(line) ||
      this.anyFile(/^\/etc\/resolv\.conf$/, /^nameserver /m) ||
      this.anyFile(/^\/etc\/systemd\/(resolved\.conf|network)/, /^\s*DNS=/m) ||
      this.anyFile(/^\/etc\/(netplan|network\/interfaces)/, /(nameservers:|dns-nameservers)/);
    if (/^sysctl .*net\.ipv4\.ip_forward ?= ?1/.test(line) || this.wroteForwarding())
      system.forwarding = true;
    if (/^(sysctl (--system|-p)|systemctl restart systemd-sysctl)/.test(line))
      system.forwarding ||= this.anyFile(/^\/etc\/sysctl/, /^\s*net\.ipv4\.ip_forward\s*=\s*1/m);
    if (/^iptables .*-j (MASQUERADE|SNAT)/.test(line))
      system.iptablesRules.push(args.join(' ').replace(/^-t nat /, ''));
    this.applyNft(name, args, input);
  }

  private applyNft(name: string, args: string[], input: string | undefined): void {
    const loads = name === 'nft' && args.includes('-f');
    const service = name === 'systemctl' && args.some((arg) => /^nftables(\.service)?$/.test(arg));
    const started = service && args.some((arg) => ['start', 'restart', 'reload', '--now'].includes(arg));
    const file = loads ? args[args.indexOf('-f') + 1] : started ? '/etc/nftables.conf' : undefined;
    const rules =
      file === '-' || file === '/dev/stdin'
        ? input
        : file === undefined
          ? undefined
          : this.system.files[file];
    if (rules !== undefined) this.system.nftRules = [rules];
    else if (name === 'nft' && /^add rule/.test(args.join(' '))) this.system.nftRules.push(args.join(' '));
  }

  private wroteForwarding(): boolean {
    return this.system.files['/proc/sys/net/ipv4/ip_forward']?.trim() === '1';
  }

  private anyFile(path: RegExp, content: RegExp): boolean {
    return Object.entries(this.system.files).some(([name, text]) => path.test(name) && content.test(text));
  }

  private writeOutputs(command: ShellCommand, name: string, args: string[]): void {
    const targets =
      name === 'tee'
        ? args.filter((arg) => !arg.startsWith('-')).map((path) => ({ path, append: args.includes('-a') }))
        : command.outputs;
    const printed =
      name === 'echo' || name === 'printf'
        ? `${args
            .filter((arg) => !/^-[ne]+$/.test(arg))
            .join(' ')
            .replaceAll('\\n', '\n')}\n`
        : '';
    for (const { path, append } of targets)
      this.system.files[path] = (append ? (this.system.files[path] ?? '') : '') + (command.input ?? printed);
    if (name === 'rm') for (const path of args) delete this.system.files[path];
  }

  private withoutAssignments(words: string[]): string[] {
    const rest = [...words];
    for (let match = assignment(rest[0]); match; match = assignment(rest[0])) {
      this.variables.set(match[1] ?? '', match[2] ?? '');
      rest.shift();
    }
    return rest;
  }

  private expand(word: string): string {
    return word
      .replace(/\$\(\s*(?:cat\s+|<\s*)([^\s)]+)\s*\)/g, (_, path: string) =>
        (this.system.files[path] ?? '').trim(),
      )
      .replace(/\$\(\s*hostname(?: -s)?\s*\)|\$\{?HOSTNAME\}?/g, this.hostname)
      .replace(/\$\{?(\w+)\}?/g, (whole, name: string) => this.variables.get(name) ?? whole);
  }
}

function assignment(word: string | undefined): RegExpExecArray | null {
  return /^([A-Za-z_]\w*)=(.*)$/s.exec(word ?? '');
}

/** Text of a systemd unit that the document wrote, an instance of a template (`name@instance`) included. */
export function unitFile(name: string, files: Record<string, string>): string | undefined {
  const unit = /\.(service|timer|socket|path)$/.test(name) ? name : `${name}.service`;
  const exact = files[`/etc/systemd/system/${unit}`];
  if (exact !== undefined) return exact;
  const [, template, instance, kind] = /^(.+)@(.+)\.(\w+)$/.exec(unit) ?? [];
  if (template === undefined || instance === undefined) return undefined;
  return files[`/etc/systemd/system/${template}@.${kind}`]?.replaceAll(/%[iI]/g, instance);
}
