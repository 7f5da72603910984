/* global document, sessionStorage, fetch, FormData, setTimeout, clearTimeout */
import { h, patch } from './dom.mjs';
import { stackView } from './stack-view.mjs';
import { confirmOrder } from './orders.mjs';

const REFRESH = 2000;
const AUDIT_LINES = 15;

const at = (id) => document.getElementById(id);
const session = {
  get token() {
    return sessionStorage.getItem('token');
  },
  get person() {
    return sessionStorage.getItem('person');
  },
};
let timer;

class WrongToken extends Error {}

/** One call of the JSON API. Throws the service's own words when it refuses. */
async function call(method, path, body) {
  const response = await fetch(`/v1/stacks${path}`, {
    method,
    headers: {
      authorization: `Bearer ${session.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (response.status === 401) throw new WrongToken('This is not the admin token of this service.');
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

async function stack({ environment }) {
  const path = `/${encodeURIComponent(environment)}`;
  const [status, audit, history] = await Promise.all([
    call('GET', `${path}/status`),
    call('GET', `${path}/audit?limit=${AUDIT_LINES}`),
    call('GET', `${path}/history`),
  ]);
  return stackView({ environment, ...status, entries: audit.entries, history: history.pools });
}

async function refresh() {
  clearTimeout(timer);
  try {
    const { stacks } = await call('GET', '');
    const views = await Promise.all(stacks.map(stack));
    patch(at('stacks'), h('main', { id: 'stacks' }, views));
    at('news').textContent = '';
  } catch (error) {
    if (error instanceof WrongToken) return logout(error.message);
    // What was last known stays to be read.
    at('news').textContent = `No answer (${error.message}); trying on …`;
  }
  timer = setTimeout(refresh, REFRESH);
}

function logout(problem) {
  clearTimeout(timer);
  sessionStorage.clear();
  show(false);
  patch(at('stacks'), h('main', { id: 'stacks' }));
  at('news').textContent = '';
  at('problem').textContent = problem;
}

function show(loggedIn) {
  at('login').hidden = loggedIn;
  at('logout').hidden = !loggedIn;
}

at('logout').addEventListener('click', () => logout(''));

at('login').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  sessionStorage.setItem('token', form.get('token').trim());
  sessionStorage.setItem('person', form.get('person').trim());
  at('problem').textContent = '';
  event.target.elements.token.value = '';
  show(true);
  void refresh();
});

at('stacks').addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  const environment = button.closest('[data-stack]').dataset.stack;
  const worker = button.closest('[data-worker]')?.dataset.worker;
  confirmOrder(
    at('confirm'),
    { action: button.dataset.action, environment, worker },
    async (path, reason) => {
      await call('POST', `/${encodeURIComponent(environment)}${path}`, { by: session.person, ...reason });
      await refresh();
    },
  );
});

if (session.token) {
  show(true);
  void refresh();
} else {
  show(false);
}
