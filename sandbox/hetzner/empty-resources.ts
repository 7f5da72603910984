import { notFound, unsupported } from './errors';
import type { Route } from './http';
import { listAnswer } from './lists';

/** Kinds of resources that the local cloud does not have: their lists are empty, anything else is refused. */
const KINDS = ['load_balancers', 'load_balancer_types', 'certificates', 'floating_ips', 'isos'];

export function emptyResourceRoutes(route: Route): void {
  for (const kind of KINDS) {
    route('GET', `/${kind}`, (call) =>
      listAnswer(call, { key: kind, items: [] as never[], render: (item) => item, sort: {} }),
    );
    route('GET', `/${kind}/:id`, (call) => {
      throw notFound(kind, call.params['id'] ?? '');
    });
    route('POST', `/${kind}`, () => {
      throw unsupported(`${kind} are not supported by the local cloud`);
    });
  }
}
