import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Kernel, Vendor } from '../kernel/vendor';
import { cutInHalf, withoutLists } from './broken-answers';
import type { Fault, FaultBook } from './faults';
import type { LoggedRequest, RequestLog } from './request-log';

export interface Gate {
  kernel: Kernel;
  log: RequestLog;
  faults: FaultBook;
  /** Id of the Hetzner project that an Authorization header belongs to. */
  projectOf(authorization: string | undefined): string | null;
  /** Called after each request that may have changed something. */
  changed(): void;
}

interface Passage {
  entry: LoggedRequest;
  fault: Fault | undefined;
}

/**
 * Puts the gate before a vendor's routes; to be called before `vendor.register(app)`. At the gate each call
 * brings the schedule up to date, is written into the request log, and meets the scripted faults: after the
 * vendor's own authentication and rate limit (onRequest hooks), before its validation and handler.
 */
export function installGate(app: FastifyInstance, vendor: Vendor, gate: Gate): void {
  const passages = new WeakMap<FastifyRequest, Passage>();

  app.addHook('onRequest', async (request) => {
    gate.kernel.schedule.runDue();
    const entry: LoggedRequest = {
      time: new Date(gate.kernel.clock.now()).toISOString(),
      wallTime: new Date().toISOString(),
      vendor: vendor.name,
      client: request.headers['user-agent'] ?? '',
      method: request.method,
      path: request.url,
      status: null,
      project: gate.projectOf(request.headers.authorization),
      fault: null,
    };
    gate.log.add(entry);
    passages.set(request, { entry, fault: undefined });
  });

  app.addHook('preValidation', async (request, reply) => {
    const passage = passages.get(request);
    const fault = gate.faults.take({
      vendor: vendor.name,
      method: request.method,
      path: request.url,
      body: request.body,
    });
    if (!passage || !fault) return;
    passage.entry.fault = fault.id;
    if (!['instead', 'drop', 'ignore'].includes(fault.mode)) {
      passage.fault = fault;
      return;
    }
    await delay(fault.delayMs);
    if (fault.mode === 'instead') {
      const { status, headers, body } = faultAnswer(fault);
      return reply.headers(headers).code(status).send(body);
    }
    if (fault.mode === 'drop') request.raw.socket.destroy();
    return reply.hijack();
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const passage = passages.get(request);
    const fault = passage?.fault;
    if (!fault) {
      if (passage) passage.entry.status = reply.statusCode;
      return payload;
    }
    await delay(fault.delayMs);
    if (fault.mode === 'hang-up' || fault.mode === 'stall') {
      if (fault.mode === 'hang-up') request.raw.socket.destroy();
      // Nothing is sent: the client gives up, or the sandbox ends.
      if (!request.raw.socket.destroyed) await once(request.raw.socket, 'close');
      return payload;
    }
    const sent = { status: reply.statusCode, headers: {}, body: payload, ...replacement(fault, payload) };
    reply.removeHeader('content-length');
    void reply.headers(sent.headers).code(sent.status);
    passage.entry.status = sent.status;
    return sent.body;
  });

  app.addHook('onResponse', async (request) => {
    if (request.method !== 'GET') gate.changed();
  });

  /** What of the real answer a fault after the call changes. */
  const replacement = (fault: Fault, payload: unknown): Partial<FaultAnswer> => {
    if (fault.mode === 'after') return faultAnswer(fault);
    if (typeof payload !== 'string') return {};
    if (fault.mode === 'half') return { body: cutInHalf(payload) };
    return fault.mode === 'empty' ? { body: withoutLists(payload) } : {};
  };

  const faultAnswer = (fault: Fault): FaultAnswer => {
    const status = fault.status ?? 500;
    if (fault.page !== undefined)
      return { status, headers: { 'content-type': 'text/html', ...fault.headers }, body: fault.page };
    const own = status === 429 ? vendor.rateLimited(gate.kernel.clock.now()) : PLAIN_FAULT;
    const { code = own.code, message = own.message } = fault;
    return {
      status,
      headers: { 'content-type': 'application/json', ...own.headers, ...fault.headers },
      body: JSON.stringify(vendor.errorBody(status, code, message, fault.details)),
    };
  };
}

interface FaultAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const PLAIN_FAULT = { code: 'service_error', message: 'scripted fault', headers: {} };
