/** A simple command of a shell text: words without quotes, and how it hangs on the one before. */
export interface ShellCommand {
  words: string[];
  /** The operator before it; `;` also stands for a line break. */
  joinedBy: ';' | '&&' | '||' | '|';
  /** Output redirections to files, in order. */
  outputs: { path: string; append: boolean }[];
  /** Where standard error goes: to the caller, into the standard output (`2>&1`), or nowhere. */
  errors: 'shown' | 'merged' | 'discarded';
  /** Text of a here-document. */
  input: string | undefined;
  /** Shell keyword it follows: `until`, `while`, `for`, `if`, … */
  keyword: string | undefined;
}

const KEYWORDS = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'while',
  'until',
  'do',
  'done',
  'for',
  '!',
  '{',
  '}',
  'exec',
  'time',
]);

/**
 * Splits shell text into simple commands: quotes, comments, line continuations, here-documents and redirections are
 * understood; control structures are flattened into the commands inside them, conditions included. Substitutions
 * (`$(…)`, `$NAME`) stay in the words as written.
 */
export function parseShell(text: string): ShellCommand[] {
  return new Parser(text).commands();
}

class Parser {
  private position = 0;
  private readonly found: ShellCommand[] = [];
  private current: ShellCommand = emptyCommand(';');
  private word: string | undefined;
  private redirect: 'out' | 'append' | 'in' | 'heredoc' | 'errors' | 'errors-merge' | undefined;
  private heredocs: { command: ShellCommand; end: string; stripTabs: boolean }[] = [];

  constructor(private readonly text: string) {}

  commands(): ShellCommand[] {
    while (this.position < this.text.length) this.step();
    this.endCommand(';');
    return this.found;
  }

  private step(): void {
    const rest = this.text.slice(this.position, this.position + 3);
    const char = rest[0] ?? '';
    if (rest.startsWith('\\\n')) this.position += 2;
    else if (char === '\\') this.append(rest[1] ?? '', 2);
    else if (char === "'") this.quoted("'");
    else if (char === '"') this.quoted('"');
    else if (rest.startsWith('$(')) this.substitution();
    else if (char === '#' && this.word === undefined) this.comment();
    else if (char === '\n') this.lineBreak();
    else if (char === ' ' || char === '\t' || char === '\r') this.separator(1);
    else if (rest.startsWith('&&') || rest.startsWith('||'))
      this.operator(rest.startsWith('&&') ? '&&' : '||', 2);
    else if (rest.startsWith(';;')) this.operator(';', 2);
    else if (char === '|') this.operator('|', 1);
    else if (char === '&' && !/^&[>\d-]/.test(rest)) this.operator(';', 1);
    else if (char === ';' || char === '(' || char === ')') this.operator(';', 1);
    else if (char === '>' || char === '<' || char === '&') this.redirection();
    else this.append(char, 1);
  }

  private append(text: string, consumed: number): void {
    this.word = (this.word ?? '') + text;
    this.position += consumed;
  }

  private quoted(quote: string): void {
    let content = '';
    let at = this.position + 1;
    for (; at < this.text.length && this.text[at] !== quote; at++) {
      if (quote === '"' && this.text[at] === '\\' && /["\\$`\n]/.test(this.text[at + 1] ?? '')) at++;
      content += this.text[at];
    }
    this.append(content, at + 1 - this.position);
  }

  private substitution(): void {
    let depth = 0;
    let at = this.position + 1;
    do {
      if (this.text[at] === '(') depth++;
      if (this.text[at] === ')') depth--;
      at++;
    } while (depth > 0 && at < this.text.length);
    this.append(this.text.slice(this.position, at), at - this.position);
  }

  private comment(): void {
    const end = this.text.indexOf('\n', this.position);
    this.position = end === -1 ? this.text.length : end;
  }

  private separator(consumed: number): void {
    this.endWord();
    this.position += consumed;
  }

  private operator(joinedBy: ShellCommand['joinedBy'], consumed: number): void {
    this.endCommand(joinedBy);
    this.position += consumed;
  }

  private redirection(): void {
    const match = /^(&>>?|>>|>&|>\||>|<<<|<<-?|<&|<|&)/.exec(this.text.slice(this.position))?.[0] ?? '>';
    const descriptor = /^\d$/.test(this.word ?? '') ? this.word : undefined;
    if (descriptor !== undefined) this.word = undefined;
    this.endWord();
    this.position += match.length;
    if (match.startsWith('<<') && match !== '<<<') this.redirect = 'heredoc';
    else if (match.startsWith('<')) this.redirect = 'in';
    else if (match === '>&') this.redirect = 'errors-merge';
    else if (descriptor === '2') this.redirect = 'errors';
    else this.redirect = match.includes('>>') ? 'append' : 'out';
    if (match === '<<-') this.heredocs.push({ command: this.current, end: '', stripTabs: true });
    else if (match === '<<') this.heredocs.push({ command: this.current, end: '', stripTabs: false });
  }

  private endWord(): void {
    const word = this.word;
    if (word === undefined) return;
    this.word = undefined;
    const { redirect } = this;
    this.redirect = undefined;
    if (redirect === 'out' || redirect === 'append')
      this.current.outputs.push({ path: word, append: redirect === 'append' });
    else if (redirect === 'heredoc') this.heredocs[this.heredocs.length - 1]!.end = word;
    else if (redirect === 'errors') this.current.errors = 'discarded';
    else if (redirect === 'errors-merge')
      this.current.errors = this.current.outputs.length > 0 ? 'discarded' : 'merged';
    else if (redirect === undefined) this.addWord(word);
  }

  private addWord(word: string): void {
    if (this.current.words.length === 0 && KEYWORDS.has(word)) this.current.keyword = word;
    else this.current.words.push(word);
  }

  private endCommand(next: ShellCommand['joinedBy']): void {
    this.endWord();
    const { words, keyword, outputs } = this.current;
    if (words.length > 0 || keyword !== undefined || outputs.length > 0) {
      this.found.push(this.current);
      this.current = emptyCommand(next);
    } else this.current.joinedBy = next;
  }

  private lineBreak(): void {
    this.endCommand(';');
    this.position++;
    for (const heredoc of this.heredocs) this.readHeredoc(heredoc);
    this.heredocs = [];
  }

  private readHeredoc({
    command,
    end,
    stripTabs,
  }: {
    command: ShellCommand;
    end: string;
    stripTabs: boolean;
  }): void {
    const lines: string[] = [];
    while (this.position < this.text.length) {
      const next = this.text.indexOf('\n', this.position);
      const stop = next === -1 ? this.text.length : next;
      const line = this.text.slice(this.position, stop);
      this.position = stop + 1;
      const content = stripTabs ? line.replace(/^\t+/, '') : line;
      if (content === end) break;
      lines.push(content);
    }
    command.input = lines.map((line) => `${line}\n`).join('');
  }
}

function emptyCommand(joinedBy: ShellCommand['joinedBy']): ShellCommand {
  return { words: [], joinedBy, outputs: [], errors: 'shown', input: undefined, keyword: undefined };
}
