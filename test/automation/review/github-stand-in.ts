import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Comment {
  id: number;
  issue: number;
  body: string;
  user: { login: string; type: 'Bot' | 'User' };
}

interface Issue {
  number: number;
  id: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  labels: string[];
  user: { login: string; type: 'Bot' | 'User' };
}

const TOKEN = 'ghs_0123456789abcdefghijklmnopqrstuvwxyz';
const BOT = { login: 'github-actions[bot]', type: 'Bot' } as const;

/** The part of GitHub's API that reports are posted with, for one repository, with its own rules. */
export class GitHubStandIn {
  readonly token = TOKEN;
  readonly repository = 'acme/worker-pools';
  comments: Comment[] = [];
  issues: Issue[] = [];
  pulls: { number: number; head: { label: string; sha: string } }[] = [];
  /** `METHOD path`, in order. */
  requests: string[] = [];
  /** What a token without the right to write is told. */
  readOnly = false;
  private lastId = 1000;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<GitHubStandIn> {
    const server = createServer();
    const standIn = new GitHubStandIn(server);
    server.on('request', (request, response) => void standIn.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    Object.assign(this, { comments: [], issues: [], pulls: [], requests: [], readOnly: false });
  }

  /** A comment that somebody has written. */
  say(issue: number, body: string, user: Comment['user']): Comment {
    const comment = { id: ++this.lastId, issue, body, user };
    this.comments.push(comment);
    return comment;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', this.url);
    const path = url.pathname.replace(`/repos/${this.repository}`, '');
    this.requests.push(`${method} ${path}`);
    const body = await text(request);
    const [status, answer] =
      request.headers.authorization === `Bearer ${TOKEN}`
        ? this.route(
            method,
            path,
            url.searchParams,
            (body === '' ? {} : JSON.parse(body)) as Record<string, never>,
          )
        : [401, { message: 'Bad credentials' }];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  private route(
    method: string,
    path: string,
    query: URLSearchParams,
    body: Record<string, never>,
  ): [number, unknown] {
    if (method !== 'GET' && this.readOnly)
      return [403, { message: 'Resource not accessible by integration' }];
    const [, kind, first, second] = path.split('/');
    const page = <T>(all: T[]): T[] => {
      const [size, number] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
      return all.slice((number - 1) * size, number * size);
    };
    if (((body['body'] as string | undefined)?.length ?? 0) > 65_536) {
      return [422, { message: 'Validation Failed: body is too long (maximum is 65536 characters)' }];
    }
    switch (`${method} ${kind}`) {
      case 'GET pulls':
        return [200, page(this.pulls.filter(({ head }) => head.label === query.get('head')))];
      case 'GET issues':
        return first === undefined
          ? [200, page(this.openIssues(query.get('labels') ?? ''))]
          : [200, page(this.comments.filter(({ issue }) => issue === Number(first)))];
      case 'POST issues':
        return first === undefined
          ? [201, this.open(body)]
          : [201, this.say(Number(first), body['body'] as unknown as string, BOT)];
      case 'PATCH issues': {
        const found =
          first === 'comments'
            ? this.comments.find(({ id }) => id === Number(second))
            : this.issues.find(({ number }) => number === Number(first));
        return found ? [200, Object.assign(found, body)] : [404, { message: 'Not Found' }];
      }
      default:
        return [404, { message: 'Not Found' }];
    }
  }

  private openIssues(label: string): Issue[] {
    return this.issues.filter(({ state, labels }) => state === 'open' && labels.includes(label));
  }

  private open(fields: Record<string, unknown>): Issue {
    const number = ++this.lastId;
    const issue = { number, id: number, state: 'open', user: BOT, ...fields } as Issue;
    this.issues.push(issue);
    return issue;
  }
}
