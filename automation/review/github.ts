import { z } from 'zod';

/** What GitHub answered instead of doing it. */
export class GitHubError extends Error {
  override name = 'GitHubError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The part of GitHub's REST API that reports are posted with; comments on pull requests are comments on issues there. */
export interface GitHub {
  findPulls(head: { owner: string; branch: string }): Promise<{ number: number; sha: string }[]>;
  listComments(issue: number): Promise<Posted[]>;
  createComment(issue: number, body: string): Promise<void>;
  updateComment(id: number, body: string): Promise<void>;
  /** Open issues with this label. */
  listIssues(label: string): Promise<(Posted & { number: number })[]>;
  createIssue(issue: { title: string; body: string; labels: string[] }): Promise<void>;
  updateIssue(number: number, change: { body?: string; state?: 'closed' }): Promise<void>;
}

export interface Posted {
  id: number;
  body: string;
  /** Written by an app, as a workflow's token is, and not by a person. */
  byApp: boolean;
}

const posted = z
  .object({ id: z.number(), body: z.string().nullish(), user: z.object({ type: z.string() }).nullish() })
  .transform(({ id, body, user }) => ({ id, body: body ?? '', byApp: user?.type === 'Bot' }));
const issue = z
  .object({ number: z.number(), pull_request: z.unknown().optional() })
  .transform(({ number, pull_request }) => ({ number, isPull: pull_request !== undefined }))
  .and(posted);
const pull = z
  .object({ number: z.number(), head: z.object({ sha: z.string() }) })
  .transform(({ number, head }) => ({ number, sha: head.sha }));
const PAGE_SIZE = 100;
const TIMEOUT_MS = 15_000;

/**
 * @param repository `owner/name`
 * @param url base of the API, e.g. `https://api.github.com`
 */
export function createGitHub({
  url,
  repository,
  token,
}: {
  url: string;
  repository: string;
  token: string;
}): GitHub {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/repos/${repository}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'x-github-api-version': '2022-11-28',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new GitHubError(response.status, `${method} ${path}: ${said(text, response)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const list = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>[]> => {
    const all: z.output<T>[] = [];
    for (let page = 1; ; page++) {
      const separator = path.includes('?') ? '&' : '?';
      const items = z
        .array(schema)
        .parse(await call('GET', `${path}${separator}per_page=${PAGE_SIZE}&page=${page}`));
      all.push(...items);
      if (items.length < PAGE_SIZE) return all;
    }
  };
  return {
    findPulls: ({ owner, branch }) =>
      list(`/pulls?state=open&head=${encodeURIComponent(`${owner}:${branch}`)}`, pull),
    listComments: (number) => list(`/issues/${number}/comments`, posted),
    createComment: async (number, body) => void (await call('POST', `/issues/${number}/comments`, { body })),
    updateComment: async (id, body) => void (await call('PATCH', `/issues/comments/${id}`, { body })),
    listIssues: async (label) =>
      (await list(`/issues?state=open&labels=${encodeURIComponent(label)}`, issue)).filter(
        ({ isPull }) => !isPull,
      ),
    createIssue: async (fields) => void (await call('POST', '/issues', fields)),
    updateIssue: async (number, change) => void (await call('PATCH', `/issues/${number}`, change)),
  };
}

function said(text: string, { status, statusText }: Response): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return `${status} ${statusText}`;
  }
}
