import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Kernel, Vendor } from '../kernel/vendor';
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
    if (fault.mode !== 'instead' && fault.mode !== 'drop') {
      passage.fault = fault;
      return;
    }
    await delay(fault.delayMs);
    if (fault.mode === 'drop') {
      request.raw.socket.destroy();
      return reply.hijack();
    }
    return reply.headers(fault.headers).code(statusOf(fault)).send(errorBody(fault));
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const passage = passages.get(request);
    const fault = passage?.fault;
    if (fault) await delay(fault.delayMs);
    if (fault?.mode === 'hang-up') {
      request.raw.socket.destroy();
      return payload;
    }
    const replaced = fault?.mode === 'after';
    if (replaced) {
      reply.removeHeader('content-length');
      void reply.headers({ 'content-type': 'application/json', ...fault.headers }).code(statusOf(fault));
    }
    if (passage) passage.entry.status = reply.statusCode;
    return replaced ? JSON.stringify(errorBody(fault)) : payload;
  });

  app.addHook('onResponse', async (request) => {
    if (request.method !== 'GET') gate.changed();
  });

  const statusOf = (fault: Fault): number => fault.status ?? 500;
  const errorBody = (fault: Fault): unknown =>
    vendor.errorBody(statusOf(fault), fault.code, fault.message, fault.details);
}
