/** A command that a page shows, as a reader would type it. */
export interface ShownCommand {
  readonly kind: 'block' | 'span';
  readonly text: string;
}

/** A fenced block of YAML, which a walk-through has its reader write into a file. */
export interface ShownFile {
  readonly kind: 'file';
  readonly text: string;
}

/** What a code span must begin with to be a command, and not a name. */
const PROGRAMS =
  /^(?:[A-Z_]+=\S+ )?(?:npx|worker-pools|pulumi|npm|node|git|curl|ssh|systemctl|journalctl|docker|sudo|openssl|tailscale|go|\.ci\/run|cloud-init|kill|apt-get)(?: |$)/;
const FENCE = /^( *)```(\w*)\n([^]*?)^ *```$/gm;

/** Everything that a page shows to be typed or written, in its order. */
export function shownIn(markdown: string): (ShownCommand | ShownFile)[] {
  const found: { at: number; shown: (ShownCommand | ShownFile)[] }[] = [];
  const rest = markdown.replaceAll(
    FENCE,
    (block: string, indent: string, language: string, body: string, at: number) => {
      found.push({ at, shown: inBlock(language, body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')) });
      return ' '.repeat(block.length);
    },
  );
  for (const { 1: text = '', index } of rest.matchAll(/`([^`\n]+)`/g)) {
    if (PROGRAMS.test(text) && text.includes(' ')) found.push({ at: index, shown: [{ kind: 'span', text }] });
  }
  return found.sort((a, b) => a.at - b.at).flatMap(({ shown }) => shown);
}

function inBlock(language: string, body: string): (ShownCommand | ShownFile)[] {
  switch (language) {
    case 'yaml':
      return [{ kind: 'file', text: body }];
    case 'sh':
      return commandsOf(body).map((text) => ({ kind: 'block', text }));
    case 'console':
      return body
        .split('\n')
        .flatMap((line) => (line.startsWith('$ ') ? [{ kind: 'block' as const, text: line.slice(2) }] : []));
    default:
      return [];
  }
}

/** The commands of a script, each with all its lines and without comments. */
export function commandsOf(script: string): string[] {
  const commands: string[] = [];
  let command = '';
  let quote = '';
  for (let at = 0; at < script.length; at++) {
    const char = script[at]!;
    if (char === '\\' && quote !== "'") {
      command += char + (script[++at] ?? '');
    } else if (quote !== '') {
      if (char === quote) quote = '';
      command += char;
    } else if (char === '#' && /^$|\s$/.test(command)) {
      at = script.indexOf('\n', at) - 1;
      if (at < 0) break;
    } else if (char === '\n') {
      commands.push(command);
      command = '';
    } else {
      if (char === "'" || char === '"') quote = char;
      command += char;
    }
  }
  return [...commands, command].map((text) => text.trim()).filter((text) => text !== '');
}
