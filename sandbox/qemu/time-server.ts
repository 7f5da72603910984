import { createSocket } from 'node:dgram';

export interface TimeServer {
  close(): Promise<void>;
}

const PACKET = 48;
/** Seconds from 1900, NTP's year, to 1970. */
const ERA = 2_208_988_800;

/**
 * Answers guests' questions for the time (SNTP, RFC 4330): they reach no public server. Time services ask port 123
 * and no other; more than one sandbox may answer there, as all have the same time.
 * @throws the system's error where that port is not to be had
 */
export async function startTimeServer(now: () => number, port = 123): Promise<TimeServer & { port: number }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (question, from) => {
    if (question.length < PACKET || ((question[0] ?? 0) & 7) !== 3) return;
    socket.send(answerTo(question, now()), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answerTo(question: Buffer, now: number): Buffer {
  const answer = Buffer.alloc(PACKET);
  const version = ((question[0] ?? 0) >> 3) & 7;
  answer[0] = (version << 3) | 4;
  answer[1] = 2; // stratum: one hop from a clock that is right
  answer[2] = question[2] ?? 6;
  answer.writeInt8(-20, 3); // precision: about a microsecond
  answer.writeUInt32BE(0x0000_0100, 8); // root dispersion: 4 ms
  Buffer.from([127, 127, 1, 0]).copy(answer, 12);
  writeTime(answer, now, 16);
  question.copy(answer, 24, 40, 48);
  writeTime(answer, now, 32);
  writeTime(answer, now, 40);
  return answer;
}

function writeTime(packet: Buffer, now: number, at: number): void {
  packet.writeUInt32BE((Math.floor(now / 1000) + ERA) % 2 ** 32, at);
  packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), at + 4);
}
