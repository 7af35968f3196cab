import { createSocket, type Socket } from 'node:dgram';

const HEADER_BYTES = 12;
const TYPES: Readonly<Record<number, 4 | 6>> = { 1: 4, 28: 6 };
const NO_SUCH_NAME = 3;
/** The name of the question, type A, class IN, a minute, four bytes. */
const RECORD = Buffer.from('c00c000100010000003c0004', 'hex');

/** A name server on 127.0.0.1, over UDP. A name without a record does not exist; a silent one is never answered. */
export class NameServer {
  /** Names that were asked for, once for each family. */
  readonly asked: string[] = [];

  private constructor(
    private readonly socket: Socket,
    private readonly addresses: Readonly<Record<string, string>>,
  ) {
    socket.on('message', (query, { port, address }) => {
      const answer = this.#answer(query);
      if (answer !== null) socket.send(answer, port, address);
    });
  }

  /** @param addresses the IPv4 address of each name, or `silent` */
  static async start(addresses: Readonly<Record<string, string>>): Promise<NameServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new NameServer(socket, addresses);
  }

  /** In the form of `Resolver.setServers()`. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  stop(): void {
    this.socket.close();
  }

  #answer(query: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const end = at + 5;
    const name = labels.join('.').toLowerCase();
    const family = TYPES[query.readUInt16BE(at + 1)];
    this.asked.push(name);
    const address = this.addresses[name];
    if (address === 'silent') return null;
    const header = Buffer.from(query.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(0x8180 | (address === undefined ? NO_SUCH_NAME : 0), 2);
    const isKnown = address !== undefined && family === 4;
    header.writeUInt16BE(isKnown ? 1 : 0, 6);
    header.fill(0, 8, HEADER_BYTES);
    const record = isKnown
      ? Buffer.concat([RECORD, Buffer.from(address.split('.').map(Number))])
      : Buffer.alloc(0);
    return Buffer.concat([header, query.subarray(HEADER_BYTES, end), record]);
  }
}
