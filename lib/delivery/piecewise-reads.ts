import type { Socket } from 'node:net';

const PIECE = 1024;

/**
 * Hands out what a socket has received in small pieces, and nothing more once it is destroyed.
 *
 * undici's parser goes on through the piece in which the headers exceed their limit, and makes an error of each line: of
 * what a socket receives at once, 64 KiB, that is half a second of CPU for one hostile answer.
 */
export function readPiecewise(socket: Socket): void {
  const { read } = socket;
  socket.read = function (this: Socket, size?: number): unknown {
    if (this.destroyed) return null;
    return read.call(
      this,
      size === undefined && this.readableLength > PIECE ? PIECE : size,
    ) as unknown;
  };
}
