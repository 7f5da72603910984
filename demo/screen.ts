import type { WriteStream } from 'node:tty';
import type { Scene } from './scene';
import { renderScene, summarize, type Trace, traced } from './view';

/** Where scenes are shown. */
export interface Screen {
  show(scene: Scene): void;
  /** Leaves the last scene where it is, and the terminal as it was. */
  close(): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[K';
/** Real milliseconds between two lines where nothing can be drawn anew. */
const PLAIN_EVERY_MS = 4000;

export function openScreen(output: WriteStream): Screen {
  return output.isTTY ? livingScreen(output) : plainScreen(output);
}

/** Each scene over the one before, in one write, so that nothing flickers. */
function livingScreen(output: WriteStream): Screen {
  let trace: Trace = [];
  let height = 0;
  output.write(`\n${HIDE_CURSOR}`);
  return {
    show: (scene) => {
      trace = traced(trace, scene);
      // A line as wide as the terminal would wrap, and one that is scrolled away cannot be drawn anew.
      const lines = renderScene(scene, trace, output.columns - 1).slice(0, output.rows - 1);
      const up = height === 0 ? '' : `\u001b[${height}A`;
      output.write(up + lines.map((text) => `${text}${CLEAR_LINE}\n`).join(''));
      height = lines.length;
    },
    close: () => void output.write(SHOW_CURSOR),
  };
}

/** A line now and then, and what the service decides as it comes. */
function plainScreen(output: NodeJS.WritableStream): Screen {
  let shownAt = -Infinity;
  let told = 0;
  let standing: string[] = [];
  let last: string | undefined;
  return {
    show: (scene) => {
      for (const alarm of scene.alarms) if (!standing.includes(alarm)) output.write(`        ! ${alarm}\n`);
      standing = scene.alarms;
      for (const { text } of scene.events.slice(told)) output.write(`        ${text}\n`);
      told = Math.max(told, scene.events.length);
      last = `  ${summarize(scene)}\n`;
      if (performance.now() - shownAt < PLAIN_EVERY_MS) return;
      shownAt = performance.now();
      output.write(last);
      last = undefined;
    },
    close: () => void output.write(last ?? ''),
  };
}
