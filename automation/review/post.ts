import { z } from 'zod';
import type { GitHub } from './github';
import { COMMENT_LIMIT, marker, toMarkdown } from './markdown';
import type { Report } from './report';

/** What the workflow was started by. */
const eventSchema = z.union([
  z.object({ pull_request: z.object({ number: z.int() }) }),
  z.object({
    workflow_run: z.object({
      head_sha: z.string(),
      head_branch: z.string(),
      head_repository: z.object({ full_name: z.string(), owner: z.object({ login: z.string() }) }),
    }),
  }),
]);

/**
 * The pull request that an event is about. After another workflow's run it is looked up by the commit that ran: what the run
 * itself says could be anybody's word.
 * @returns undefined when the pull request has moved on or is closed
 */
export async function pullRequestOf(event: unknown, github: GitHub): Promise<number | undefined> {
  const parsed = eventSchema.parse(event);
  if ('pull_request' in parsed) return parsed.pull_request.number;
  const { head_sha: sha, head_branch: branch, head_repository: repository } = parsed.workflow_run;
  const pulls = await github.findPulls({ owner: repository.owner.login, branch });
  return pulls.find((pull) => pull.sha === sha)?.number;
}

/** What stands above every report from a fork: its workflow and its code are whoever wrote it. */
export const FORK_NOTE = 'From a fork: this report was made by the pull request’s own code.';

/** The report as it may be posted: from a fork it says so, whatever it says itself. */
export function attributed(report: Report, event: unknown, repository: string): Report {
  const parsed = eventSchema.parse(event);
  if ('pull_request' in parsed || parsed.workflow_run.head_repository.full_name === repository) return report;
  return { ...report, note: [FORK_NOTE, ...(report.note === undefined ? [] : [report.note])].join(' ') };
}

/** Makes the stack's one comment say what the report says. */
export async function postComment(
  github: GitHub,
  pullRequest: number,
  report: Report,
): Promise<'created' | 'updated' | 'unchanged'> {
  const body = toMarkdown(report);
  // Anybody can write a marker; only an app's comment is ours to edit.
  const before = (await github.listComments(pullRequest)).find(
    (comment) => comment.byApp && comment.body.startsWith(marker(report.stack)),
  );
  if (!before) {
    await github.createComment(pullRequest, body);
    return 'created';
  }
  if (before.body.trimEnd() === body.trimEnd()) return 'unchanged';
  await github.updateComment(before.id, body);
  return 'updated';
}

export const DRIFT_LABEL = 'drift';

/** Keeps one issue open while a stack is not what git says, and closes it when it is again. */
export async function postDrift(
  github: GitHub,
  report: Report,
): Promise<'opened' | 'updated' | 'closed' | 'unchanged'> {
  const { stack, verdict } = report;
  const sign = marker(`drift of ${stack}`);
  const head = `${sign}\n\nThe stack \`${stack}\` is not what its branch says. An update of the branch as it is would do this:\n\n`;
  const body = `${head}${toMarkdown(report, COMMENT_LIMIT - head.length)}`;
  const before = (await github.listIssues(DRIFT_LABEL)).find(
    (issue) => issue.byApp && issue.body.startsWith(sign),
  );
  if (verdict === 'unchanged') {
    if (!before) return 'unchanged';
    await github.updateIssue(before.number, { state: 'closed' });
    return 'closed';
  }
  if (!before) {
    await github.createIssue({ title: `Drift: ${stack}`, body, labels: [DRIFT_LABEL] });
    return 'opened';
  }
  if (before.body.trimEnd() === body.trimEnd()) return 'unchanged';
  await github.updateIssue(before.number, { body });
  return 'updated';
}
