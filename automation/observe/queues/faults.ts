import { type Place, queueError, quoted } from './place';
import { QueueError } from './types';

/** What Node says of a network that does not carry us there, with what to do. */
const NETWORK_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Start the server, or correct host and port in the URL.',
  ENOTFOUND: 'the host’s name is unknown to DNS here. Correct the URL, or the resolver of this machine.',
  EAI_AGAIN: 'DNS does not answer here. Check the resolver of this machine.',
  EHOSTUNREACH: 'there is no way to that host. Check network, routes and firewalls.',
  ENETUNREACH: 'there is no way to that network. Check network, routes and firewalls.',
  ETIMEDOUT: 'the host does not answer. Check network, routes and firewalls.',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not answer. Check network, routes and firewalls.',
  ENOENT: 'there is no such socket. Start the server, or correct the URL.',
};

/** What OpenSSL and Node say of certificates, with what to do. */
const TLS_FAULTS: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|CERT_UNTRUSTED/,
    'its certificate is signed by a CA that is not known here. Give the CA’s certificate as tls.caFile.',
  ],
  [
    /ALTNAME_INVALID|HOSTNAME_MISMATCH/,
    'its certificate is for another name. Use that name in the URL, or give it as tls.serverName.',
  ],
  [
    /CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    'its certificate is not valid today. Renew it, or set the clock right.',
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN/,
    'it refuses our certificate. Give tls.certFile and tls.keyFile, signed by a CA that it knows.',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL/,
    'it does not speak TLS on this port. Correct the port, or use the URL’s scheme without TLS.',
  ],
];

/** Faults that every client shares: network, TLS, a connection that broke. Anything a server says on purpose is its source’s own. */
export function commonFault(place: Place, error: unknown): QueueError {
  if (error instanceof QueueError) return error;
  const { code, message } = detailsOf(error);

  const network = NETWORK_FAULTS[code];
  if (network !== undefined) return queueError(place, 'unreachable', network);
  const tls = TLS_FAULTS.find(([pattern]) => pattern.test(code) || pattern.test(message.toUpperCase()));
  if (tls) return queueError(place, 'refused', `${tls[1]} (${quoted(place, message)})`);
  return queueError(
    place,
    'unreachable',
    `the connection broke: ${quoted(place, message)}. The next reading makes a new one.`,
  );
}

/** The innermost cause that has a code: clients wrap what the socket said. */
export function detailsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code !== '') return { code, message: error.message || code };
  if (error.cause instanceof Error) return detailsOf(error.cause);
  return { code: '', message: error.message };
}
