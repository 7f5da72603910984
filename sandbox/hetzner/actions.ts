import { nextId, projectWith, timestamp, type Cloud } from './cloud';
import { ApiError } from './errors';
import type { Answer } from './http';
import type { Durations } from './settings';
import type { Action, Project, ResourceRef } from './state';

const FINISH = 'hetzner.action.finish';

/** The vendor's usual words for an action that did not work. */
export const ACTION_FAILED = { code: 'action_failed', message: 'Action failed' };

/** What a command changes when it starts to work and when it has worked. */
export interface Command {
  /** Runs when the work starts: at once, or when the action it waits for has ended. */
  begin?: (project: Project, action: Action, at: number) => void;
  /** Runs when the work has ended well. */
  complete?: (project: Project, action: Action, at: number) => void;
  /** Puts things back when the action fails. */
  fail?: (project: Project, action: Action, at: number) => void;
}

export interface ActionRequest {
  command: string;
  duration: keyof Durations;
  resources: ResourceRef[];
  params?: Action['params'];
  /** Works only when this action has ended. */
  after?: Action;
  /** Default true: a server that the action is about is locked meanwhile. */
  locks?: boolean;
  /** Default true; false when there is nothing to do, as for `poweron` of a running server. */
  effective?: boolean;
}

/** The asynchronous actions of all projects, driven by the schedule. */
export class Actions {
  private readonly commands = new Map<string, Command>();

  /** `cloud` is only used once events or requests arrive. */
  constructor(private readonly cloud: () => Cloud) {}

  define(name: string, command: Command): void {
    this.commands.set(name, command);
  }

  listen(): void {
    this.cloud().kernel.schedule.on(FINISH, (subject, at) => {
      const id = Number(subject.split('/').at(-1));
      const project = projectWith(this.cloud(), 'actions', id);
      const action = project?.actions[id];
      if (project && action) this.finish(project, action, at);
    });
  }

  /** Starts an action; a duration of nothing ends it at once. */
  start(project: Project, request: ActionRequest): Action {
    const cloud = this.cloud();
    const now = cloud.kernel.clock.now();
    const action: Action = {
      id: nextId(cloud),
      command: request.command,
      status: 'running',
      started: now,
      workingSince: null,
      durationMs: Math.round(
        cloud.settings.durations[request.duration] * cloud.settings.durationFactor * 1000,
      ),
      finished: null,
      resources: request.resources,
      error: null,
      after: request.after?.status === 'running' ? request.after.id : null,
      locks: request.locks ?? true,
      effective: request.effective ?? true,
      params: request.params ?? {},
    };
    project.actions[action.id] = action;
    project.runningActions.push(action.id);
    if (request.after?.status === 'error') this.fail(project, action, now, ACTION_FAILED);
    else if (action.after === null) this.work(project, action, now);
    return action;
  }

  /** The running actions that are about this resource. */
  running(project: Project, type: ResourceRef['type'], id: number): Action[] {
    return runningOf(project).filter((action) => concerns(action, type, id));
  }

  /** Whether the server is locked: an action that locks it has not ended. */
  locksServer(project: Project, serverId: number): boolean {
    return this.running(project, 'server', serverId).some((action) => action.locks);
  }

  /** Ends what still runs for a resource that is going away. */
  abandon(project: Project, type: ResourceRef['type'], id: number, at: number): void {
    for (const action of this.running(project, type, id)) {
      this.cloud().kernel.schedule.cancel(subjectOf(action));
      this.fail(project, action, at, { code: 'action_failed', message: 'the resource was deleted' });
    }
  }

  /** Forgets planned ends, for a reset. */
  cancelAll(): void {
    for (const project of Object.values(this.cloud().state.projects)) {
      for (const action of runningOf(project)) this.cloud().kernel.schedule.cancel(subjectOf(action));
    }
  }

  render(action: Action): unknown {
    const now = this.cloud().kernel.clock.now();
    return {
      id: action.id,
      command: action.command,
      status: action.status,
      progress: progress(action, now),
      started: timestamp(action.started),
      finished: action.finished === null ? null : timestamp(action.finished),
      resources: action.resources,
      error: action.error,
    };
  }

  /** 201 with the action that was started. */
  answer(action: Action): Answer {
    return { status: 201, body: { action: this.render(action) } };
  }

  private work(project: Project, action: Action, at: number): void {
    action.workingSince = at;
    this.effectsOf(action)?.begin?.(project, action, at);
    if (action.durationMs === 0) this.finish(project, action, at);
    else this.cloud().kernel.schedule.at(at + action.durationMs, FINISH, subjectOf(action));
  }

  private finish(project: Project, action: Action, at: number): void {
    if (action.status !== 'running') return;
    const failures = this.cloud().state.plannedFailures;
    const planned = failures.findIndex((failure) => failure.command === action.command);
    const [failure] = planned === -1 ? [] : failures.splice(planned, 1);
    if (failure) this.fail(project, action, at, { code: failure.code, message: failure.message });
    else this.succeed(project, action, at);
  }

  private succeed(project: Project, action: Action, at: number): void {
    end(project, action, at, null);
    this.effectsOf(action)?.complete?.(project, action, at);
    for (const next of waitingFor(project, action)) this.work(project, next, at);
  }

  /** What waits for a failed action fails with it. */
  private fail(project: Project, action: Action, at: number, error: { code: string; message: string }): void {
    end(project, action, at, error);
    this.effectsOf(action)?.fail?.(project, action, at);
    for (const next of waitingFor(project, action)) this.fail(project, next, at, ACTION_FAILED);
  }

  private effectsOf(action: Action): Command | undefined {
    return action.effective ? this.commands.get(action.command) : undefined;
  }
}

const subjectOf = (action: Action): string => `hetzner/action/${action.id}`;

/** Whether the action is about this resource. */
export const concerns = (action: Action, type: ResourceRef['type'], id: number): boolean =>
  action.resources.some((resource) => resource.type === type && resource.id === id);

const runningOf = (project: Project): Action[] =>
  project.runningActions.flatMap((id) => project.actions[id] ?? []);

const waitingFor = (project: Project, action: Action): Action[] =>
  runningOf(project).filter((next) => next.after === action.id);

function end(project: Project, action: Action, at: number, error: Action['error']): void {
  project.runningActions = project.runningActions.filter((id) => id !== action.id);
  action.status = error ? 'error' : 'success';
  action.finished = at;
  action.error = error;
}

function progress(action: Action, now: number): number {
  if (action.status !== 'running') return 100;
  if (action.workingSince === null) return 0;
  return Math.min(99, Math.floor((100 * (now - action.workingSince)) / action.durationMs));
}

/** @throws ApiError 423 when an action that locks the server is still running */
export function refuseWhenLocked(cloud: Cloud, project: Project, serverId: number): void {
  if (cloud.actions.locksServer(project, serverId)) {
    throw new ApiError(423, 'locked', `server ${serverId} is locked: an action is still running`);
  }
}
