import { notFound, unsupported } from './errors';
import type { Route } from './http';
import { COMMON_SORT, listAnswer } from './lists';

/** Kinds of resources that the local cloud does not have: their lists are empty, anything else is refused. */
const KINDS = ['load_balancers', 'load_balancer_types', 'certificates', 'floating_ips', 'isos'];

const NONE: { id: number; name: string; created: number }[] = [];

export function emptyResourceRoutes(route: Route): void {
  for (const kind of KINDS) {
    route('GET', `/${kind}`, (call) =>
      listAnswer(call, { key: kind, items: NONE, render: (item) => item, sort: COMMON_SORT }),
    );
    route('GET', `/${kind}/:id`, (call) => {
      throw notFound(kind, call.params['id'] ?? '');
    });
    route('POST', `/${kind}`, () => {
      throw unsupported(`${kind} are not supported by the local cloud`);
    });
  }
}
