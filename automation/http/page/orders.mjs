/** What each button orders, and how it is asked for once more before it is sent. */
const ORDERS = {
  pause: {
    title: ({ environment }) => `Pause ${environment}?`,
    text: 'No worker is launched or removed until someone resumes. Running workers go on.',
    path: () => '/pause',
    reason: true,
  },
  resume: {
    title: ({ environment }) => `Resume ${environment}?`,
    text: 'Pools follow their queues again at once.',
    path: () => '/resume',
    reason: false,
  },
  drain: {
    title: ({ worker }) => `Drain ${worker}?`,
    text: 'It takes no further jobs, ends those it has, and is then removed.',
    path: ({ worker }) => `/workers/${encodeURIComponent(worker)}/drain`,
    reason: true,
  },
  undrain: {
    title: ({ worker }) => `Let ${worker} take jobs again?`,
    text: 'The order to drain is taken back.',
    path: ({ worker }) => `/workers/${encodeURIComponent(worker)}/undrain`,
    reason: false,
  },
};

/** Asks in a dialog. `send(path, body)` is called when confirmed; its refusal is shown and the dialog stays. */
export function confirmOrder(dialog, target, send) {
  const order = ORDERS[target.action];
  const form = dialog.querySelector('form');
  const { reason } = form.elements;
  const [text, problem] = dialog.querySelectorAll('p');
  dialog.querySelector('h2').textContent = order.title(target);
  text.textContent = order.text;
  problem.textContent = '';
  reason.value = '';
  reason.required = order.reason;
  reason.parentElement.hidden = !order.reason;
  form.querySelector('[value=cancel]').onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await send(order.path(target), order.reason ? { reason: reason.value } : {});
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  dialog.showModal();
}
