type Connect = (request: unknown, address: string, port: number) => number;
interface Tcp {
  readonly prototype: { connect: Connect; connect6: Connect };
}

/**
 * Sees every TCP connection that this process begins, where Node hands the address to the system: below sockets, pools,
 * look-ups and happy eyeballs, so that none of them can hide one.
 */
export class TcpSpy {
  /** The addresses, in order. */
  readonly dialled: string[] = [];
  readonly #restore: () => void;

  /** Begins to watch. */
  constructor() {
    const { prototype } = tcp();
    const { connect, connect6 } = prototype;
    const watched = (original: Connect): Connect => {
      const { dialled } = this;
      return function (this: unknown, request, address, port) {
        dialled.push(address);
        return original.call(this, request, address, port);
      };
    };
    prototype.connect = watched(connect);
    prototype.connect6 = watched(connect6);
    this.#restore = () => Object.assign(prototype, { connect, connect6 });
  }

  stop(): void {
    this.#restore();
  }
}

function tcp(): Tcp {
  const { binding } = process as unknown as { binding(name: string): { TCP: Tcp } };
  return binding.call(process, 'tcp_wrap').TCP;
}
