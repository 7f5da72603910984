import { z } from 'zod';
import { nextId, timestamp, type Cloud } from './cloud';
import { idField, labelsField, nameAndLabels, nameField, parseBody } from './body';
import { ApiError, limitExceeded } from './errors';
import {
  appliedServers,
  checkTargets,
  firewallAction,
  removeTargets,
  targetField,
  takeTargets,
} from './firewall-targets';
import { checkRules, ruleField } from './firewall-rules';
import type { Answer, Call, Route } from './http';
import { COMMON_SORT, filtered, listAnswer } from './lists';
import { checkUniqueName, resourceOf } from './resources';
import type { Action, Firewall, Project } from './state';

const createSchema = z.object({
  name: nameField,
  labels: labelsField.default({}),
  rules: z.array(ruleField).default([]),
  apply_to: z.array(targetField).default([]),
});

export function firewallRoutes(route: Route, cloud: Cloud): void {
  const answerActions = (actions: Action[]): Answer => ({
    status: 201,
    body: { actions: actions.map((action) => cloud.actions.render(action)) },
  });
  const firewallOf = (call: Call): Firewall => resourceOf(call, call.project.firewalls, 'firewall');

  route('GET', '/firewalls', (call) =>
    listAnswer(call, {
      key: 'firewalls',
      items: filtered(call, Object.values(call.project.firewalls)),
      render: (firewall) => renderFirewall(call.project, firewall),
      sort: COMMON_SORT,
    }),
  );
  route('POST', '/firewalls', (call) => {
    const body = parseBody(createSchema, call.body);
    const rules = checkRules(cloud, body.rules);
    checkUniqueName(call.project.firewalls, body.name, 'firewall');
    if (Object.keys(call.project.firewalls).length >= cloud.settings.limits.firewalls) {
      throw limitExceeded('firewall limit exceeded', 'firewall_limit');
    }
    checkTargets(cloud, call.project, undefined, body.apply_to, 422);
    const firewall: Firewall = {
      id: nextId(cloud),
      name: body.name,
      labels: body.labels,
      created: cloud.kernel.clock.now(),
      rules,
      servers: [],
      selectors: [],
    };
    call.project.firewalls[firewall.id] = firewall;
    const actions = [
      firewallAction(cloud, call.project, 'set_firewall_rules', firewall),
      ...takeTargets(cloud, call.project, firewall, body.apply_to),
    ];
    return {
      status: 201,
      body: {
        firewall: renderFirewall(call.project, firewall),
        actions: actions.map((action) => cloud.actions.render(action)),
      },
    };
  });
  route('GET', '/firewalls/:id', (call) => {
    return { status: 200, body: { firewall: renderFirewall(call.project, firewallOf(call)) } };
  });
  route('PUT', '/firewalls/:id', (call) => {
    const changes = parseBody(nameAndLabels, call.body);
    const firewall = firewallOf(call);
    if (changes.name !== undefined) {
      checkUniqueName(call.project.firewalls, changes.name, 'firewall', firewall.id);
      firewall.name = changes.name;
    }
    if (changes.labels) firewall.labels = changes.labels;
    return { status: 200, body: { firewall: renderFirewall(call.project, firewall) } };
  });
  route('DELETE', '/firewalls/:id', (call) => {
    const firewall = firewallOf(call);
    if (firewall.servers.length > 0 || firewall.selectors.length > 0) {
      throw new ApiError(422, 'resource_in_use', `firewall with ID '${firewall.id}' is still in use`);
    }
    delete call.project.firewalls[firewall.id];
    return { status: 204 };
  });

  route('POST', '/firewalls/:id/actions/set_rules', (call) => {
    const { rules } = parseBody(z.object({ rules: z.array(ruleField) }), call.body);
    const firewall = firewallOf(call);
    firewall.rules = checkRules(cloud, rules);
    const servers = appliedServers(call.project, firewall);
    return answerActions([
      firewallAction(cloud, call.project, 'set_firewall_rules', firewall),
      ...servers.map((id) => firewallAction(cloud, call.project, 'apply_firewall', firewall, id)),
    ]);
  });
  route('POST', '/firewalls/:id/actions/apply_to_resources', (call) => {
    const { apply_to: targets } = parseBody(z.object({ apply_to: z.array(targetField).min(1) }), call.body);
    const firewall = firewallOf(call);
    checkTargets(cloud, call.project, firewall, targets, 404);
    return answerActions(takeTargets(cloud, call.project, firewall, targets));
  });
  route('POST', '/firewalls/:id/actions/remove_from_resources', (call) => {
    const body = parseBody(z.object({ remove_from: z.array(targetField).min(1) }), call.body);
    return answerActions(removeTargets(cloud, call.project, firewallOf(call), body.remove_from));
  });
}

/** Firewalls that a new server names. */
export const serverFirewallsField = z.array(z.object({ firewall: idField }));

function renderFirewall(project: Project, firewall: Firewall): unknown {
  return {
    id: firewall.id,
    name: firewall.name,
    labels: firewall.labels,
    created: timestamp(firewall.created),
    rules: firewall.rules,
    applied_to: [
      ...firewall.servers.map((id) => ({ type: 'server', server: { id } })),
      ...firewall.selectors.map((selector) => ({
        type: 'label_selector',
        label_selector: { selector },
        applied_to_resources: appliedServers(project, {
          ...firewall,
          servers: [],
          selectors: [selector],
        }).map((id) => ({ type: 'server', server: { id } })),
      })),
    ],
  };
}
