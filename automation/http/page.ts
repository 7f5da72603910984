import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const FOLDER = join(__dirname, 'page');
const START = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
};

/** Nothing inline, nothing from elsewhere, in no frame. The page's own forms are never sent by the browser. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page at `/`. Its files hold no data: they ask the JSON API with the token that the person types in. */
export function registerPage(app: FastifyInstance): void {
  for (const name of readdirSync(FOLDER)) {
    const content = readFileSync(join(FOLDER, name));
    app.get(name === START ? '/' : `/page/${name}`, async (_request, reply) =>
      reply
        .headers({
          'content-type': TYPES[extname(name)],
          'content-security-policy': POLICY,
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        })
        .send(content),
    );
  }
}
